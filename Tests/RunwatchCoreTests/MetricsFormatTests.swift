import RunwatchCore
import Testing

@Suite struct MetricsFormatTests {
    private static let families: [MetricFamily] = {
        var polls = MetricFamily(
            "test_polls", .counter, labels: ["service", "outcome"], help: "Polls \\ \"so\nfar\".")
        polls.add(["a\"b\\c\nd", "answered"], 3)
        polls.add(["é", "failed"], 0)
        var age = MetricFamily("test_age_seconds", .gauge, unit: "seconds", help: "Age.")
        age.add([], 0.25)
        var wait = MetricFamily(
            "test_wait_seconds", .histogram, unit: "seconds", labels: ["service"], help: "Wait.")
        var meter = HistogramMeter(bounds: [0.5, 1, 1000])
        for value in [0.25, 0.75, 2000] { meter.add(value) }
        wait.add(["a"], meter)
        var build = MetricFamily("test_build", .info, labels: ["version"], help: "Build.")
        build.add(["1.2.3"], 1)
        let none = MetricFamily("test_none", .gauge, help: "None.")
        return [polls, age, wait, build, none]
    }()

    private static func text(_ format: MetricsFormat) -> String {
        String(decoding: format.text(of: families), as: UTF8.self)
    }

    @Test func `Prometheus' format names each family as its samples are called`() {
        #expect(
            MetricsFormatTests.text(.prometheus) == #"""
                # HELP test_polls_total Polls \\ "so\nfar".
                # TYPE test_polls_total counter
                test_polls_total{service="a\"b\\c\nd",outcome="answered"} 3
                test_polls_total{service="é",outcome="failed"} 0
                # HELP test_age_seconds Age.
                # TYPE test_age_seconds gauge
                test_age_seconds 0.25
                # HELP test_wait_seconds Wait.
                # TYPE test_wait_seconds histogram
                test_wait_seconds_bucket{service="a",le="0.5"} 1
                test_wait_seconds_bucket{service="a",le="1.0"} 2
                test_wait_seconds_bucket{service="a",le="1000.0"} 2
                test_wait_seconds_bucket{service="a",le="+Inf"} 3
                test_wait_seconds_sum{service="a"} 2001
                test_wait_seconds_count{service="a"} 3
                # HELP test_build_info Build.
                # TYPE test_build_info gauge
                test_build_info{version="1.2.3"} 1

                """#)
    }

    @Test func `OpenMetrics names families without suffixes, with units, and has an end`() {
        #expect(
            MetricsFormatTests.text(.openMetrics) == #"""
                # TYPE test_polls counter
                # HELP test_polls Polls \\ \"so\nfar\".
                test_polls_total{service="a\"b\\c\nd",outcome="answered"} 3
                test_polls_total{service="é",outcome="failed"} 0
                # TYPE test_age_seconds gauge
                # UNIT test_age_seconds seconds
                # HELP test_age_seconds Age.
                test_age_seconds 0.25
                # TYPE test_wait_seconds histogram
                # UNIT test_wait_seconds seconds
                # HELP test_wait_seconds Wait.
                test_wait_seconds_bucket{service="a",le="0.5"} 1
                test_wait_seconds_bucket{service="a",le="1.0"} 2
                test_wait_seconds_bucket{service="a",le="1000.0"} 2
                test_wait_seconds_bucket{service="a",le="+Inf"} 3
                test_wait_seconds_sum{service="a"} 2001
                test_wait_seconds_count{service="a"} 3
                # TYPE test_build info
                # HELP test_build Build.
                test_build_info{version="1.2.3"} 1
                # EOF

                """#)
    }

    @Test func `nothing at all is a document too`() {
        #expect(MetricsFormat.prometheus.text(of: []).isEmpty)
        #expect(MetricsFormat.openMetrics.text(of: []) == Array("# EOF\n".utf8))
    }

    @Test func `odd values have the formats' own words`() {
        var family = MetricFamily("x", .gauge, labels: ["v"], help: "X.")
        for value in [Double.nan, .infinity, -.infinity, -2, 1e300, 1_795_336_200.125] {
            family.add(["\(value)"], value)
        }
        let lines = String(decoding: MetricsFormat.prometheus.text(of: [family]), as: UTF8.self)
            .split(separator: "\n").dropFirst(2).map { $0.split(separator: " ")[1] }
        #expect(lines == ["NaN", "+Inf", "-Inf", "-2", "1e+300", "1795336200.125"])
    }

    // MARK: Negotiation

    @Test(arguments: [
        // Prometheus 2.42 and 3.5.
        [
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1"
                + ";q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        ],
        [
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
                + "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        ],
        ["application/openmetrics-text"], ["Application/OpenMetrics-Text ; Version=\"1.0.0\""],
        ["application/openmetrics-text; q=0.5, text/plain; q=0.5"],
        ["text/plain;q=0.1", "application/openmetrics-text;q=0.9"],
        ["application/openmetrics-text;q=0.9, text/plain;q=0.2, */*"],
    ])
    func `who prefers OpenMetrics gets it`(_ accept: [String]) {
        #expect(MetricsFormat(accept: accept) == .openMetrics)
    }

    @Test(arguments: [
        [], [""], ["*/*"], ["text/plain"], ["text/html, */*;q=0.8"], ["application/json"],
        ["application/*"], ["application/openmetrics-text;q=0"],
        ["application/openmetrics-text;version=0.0.1"],
        ["application/openmetrics-text;version=2.0.0, */*;q=0.1"],
        ["application/openmetrics-text;q=0.4, text/plain;q=0.5"],
        ["application/openmetrics-text;q=0.4, text/*;q=0.5, */*;q=0.1"],
        ["application/openmetrics-text;q=0.4, */*"],
        ["application/openmetrics-text;q=high"], ["application/openmetrics-text;q=7"],
        ["application/openmetrics-text;q=1e0"], ["application/openmetrics-text;q=-1"],
        ["application/openmetrics-texts"], [";;;,,=,q=1;q"],
    ])
    func `everyone else gets Prometheus' format`(_ accept: [String]) {
        #expect(MetricsFormat(accept: accept) == .prometheus)
    }
}
