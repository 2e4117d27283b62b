/// Figures of one name, which differ in their labels, as the Prometheus and OpenMetrics formats have them.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Hashable, Sendable {
        /// Only ever grows, until the process ends.
        case counter
        case gauge
        case histogram
        /// Words about the process, as labels of the value 1.
        case info
    }

    /// A set of labels with its value.
    package struct Sample: Sendable, Equatable {
        package enum Value: Sendable, Equatable {
            case number(Double)
            case histogram(HistogramMeter)
        }

        /// In the order of the family's `labels`.
        package var labels: [String]
        package var value: Value
    }

    /// Without the suffix of its kind: no `_total`, no `_info`; with the unit as its end.
    package let name: String
    package let kind: Kind
    /// A base unit (`seconds`, `bytes`); `nil` for counts of things.
    package let unit: String?
    /// One sentence.
    package let help: String
    /// The names of the labels, the same for every sample.
    package let labels: [String]
    /// Each set of labels once.
    package private(set) var samples: [Sample] = []

    package init(
        _ name: String, _ kind: Kind, unit: String? = nil, labels: [String] = [], help: String
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.labels = labels
        self.help = help
    }

    /// The name under which Prometheus finds it, but for the parts of a histogram.
    package var exposedName: String {
        switch kind {
        case .counter: name + "_total"
        case .info: name + "_info"
        case .gauge, .histogram: name
        }
    }

    /// - Parameter labels: As many as the family has, in their order; no other sample has the same.
    package mutating func add(_ labels: [String], _ value: Double) {
        samples.append(Sample(labels: labels, value: .number(value)))
    }

    package mutating func add(_ labels: [String], _ value: Int) {
        add(labels, Double(value))
    }

    package mutating func add(_ labels: [String], _ meter: HistogramMeter) {
        samples.append(Sample(labels: labels, value: .histogram(meter)))
    }
}
