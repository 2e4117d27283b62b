/// Writes families one after the other in one of the two formats.
///
/// The formats are Prometheus' "Exposition formats" page and the OpenMetrics specification 1.0.0. The
/// bounds of buckets are written alike in both (`1.0`), so that the series keep their names whichever
/// format is asked for.
struct MetricsWriter {
    private let format: MetricsFormat
    private var text: [UInt8] = []

    init(format: MetricsFormat) {
        self.format = format
        text.reserveCapacity(64 << 10)
    }

    mutating func write(_ family: MetricFamily) {
        guard !family.samples.isEmpty else { return }
        head(family)
        for sample in family.samples {
            let labels = MetricsWriter.pairs(family.labels, sample.labels)
            switch sample.value {
            case .number(let value): line(family.exposedName, labels, MetricsWriter.number(value))
            case .histogram(let meter): histogram(family.name, labels, meter)
            }
        }
    }

    mutating func finish() -> [UInt8] {
        if format == .openMetrics { put("# EOF\n") }
        return text
    }

    // MARK: Parts

    private mutating func head(_ family: MetricFamily) {
        switch format {
        case .prometheus:
            // A family is what its samples are called; the format knows no `info`.
            let kind = family.kind == .info ? MetricFamily.Kind.gauge : family.kind
            put("# HELP \(family.exposedName) \(MetricsWriter.escaped(family.help))\n")
            put("# TYPE \(family.exposedName) \(kind.rawValue)\n")
        case .openMetrics:
            put("# TYPE \(family.name) \(family.kind.rawValue)\n")
            if let unit = family.unit { put("# UNIT \(family.name) \(unit)\n") }
            put("# HELP \(family.name) \(MetricsWriter.escaped(family.help, quotes: true))\n")
        }
    }

    private mutating func histogram(_ name: String, _ labels: String, _ meter: HistogramMeter) {
        let before = labels.isEmpty ? "" : labels + ","
        var sum = 0
        for (bound, count) in zip(meter.bounds, meter.counts) {
            sum += count
            line(name + "_bucket", "\(before)le=\"\(bound)\"", String(sum))
        }
        let count = String(meter.count)
        line(name + "_bucket", "\(before)le=\"+Inf\"", count)
        line(name + "_sum", labels, MetricsWriter.number(meter.sum))
        line(name + "_count", labels, count)
    }

    private mutating func line(_ name: String, _ labels: String, _ value: String) {
        put(name)
        if !labels.isEmpty {
            put("{")
            put(labels)
            put("}")
        }
        put(" ")
        put(value)
        put("\n")
    }

    private mutating func put(_ words: String) { text.append(contentsOf: words.utf8) }

    // MARK: Words

    private static func pairs(_ names: [String], _ values: [String]) -> String {
        zip(names, values).map { "\($0)=\"\(escaped($1, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// A backslash, a line feed, and, where it would end the text, a quotation mark get a backslash.
    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else {
            return text
        }
        var output = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\"" where quotes: output += "\\\""
            default: output.unicodeScalars.append(character)
            }
        }
        return output
    }

    /// Whole numbers as such; others as the shortest text that gives them back.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }
}
