package import RunwatchCore

/// The daemon's figures: which there are, and what each of them is made of.
///
/// Names, units and kinds follow Prometheus' practices (prometheus.io/docs/practices/naming). A label's
/// values are few: names from the configuration and words of our own, never a run's ID or what a peer sent.
package enum DaemonMetrics {
    /// Every family, in the order in which it is shown; those without a sample among them.
    package static func families(of snapshot: MetricsSnapshot) -> [MetricFamily] {
        services(snapshot) + watches(snapshot) + receivers(snapshot) + deliveries(snapshot)
            + store(snapshot) + daemon(snapshot) + process(snapshot)
    }

    /// A family with a sample of each element.
    static func each<Element>(
        _ elements: [Element], _ family: MetricFamily,
        _ add: (inout MetricFamily, Element) -> Void
    ) -> MetricFamily {
        var family = family
        for element in elements { add(&family, element) }
        return family
    }

    /// A family with one sample, without labels; with none for `nil`.
    static func one(_ value: Double?, _ family: MetricFamily) -> MetricFamily {
        var family = family
        if let value { family.add([], value) }
        return family
    }

    static func one(_ value: Int?, _ family: MetricFamily) -> MetricFamily {
        one(value.map { Double($0) }, family)
    }
}
