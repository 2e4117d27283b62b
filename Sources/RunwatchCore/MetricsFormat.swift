/// How figures are written.
package enum MetricsFormat: Hashable, Sendable, CaseIterable {
    /// Prometheus' text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.0.
    case openMetrics

    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// Writes families; those without a sample are left out.
    package func text(of families: [MetricFamily]) -> [UInt8] {
        var writer = MetricsWriter(format: self)
        for family in families { writer.write(family) }
        return writer.finish()
    }

    // MARK: Negotiation

    /// The format that a client prefers by its `Accept` (RFC 9110, section 12.5.1).
    ///
    /// OpenMetrics is for those who name it, in a version that is spoken here; everyone else gets the older
    /// format, whatever they accept: a figure in another form is worth more than none.
    /// - Parameter accept: The values of all headers of that name.
    package init(accept: [String]) {
        let ranges = accept.flatMap { $0.split(separator: ",") }.compactMap { Range(String($0)) }
        let open = ranges.filter { $0.isOpenMetrics }.map(\.quality).max() ?? 0
        self = open > 0 && open >= MetricsFormat.plainQuality(ranges) ? .openMetrics : .prometheus
    }

    /// How much plain text is wanted: what names it most exactly decides.
    private static func plainQuality(_ ranges: [Range]) -> Double {
        for type in ["text/plain", "text/*", "*/*"] {
            let found = ranges.filter { $0.type == type && $0.isPlainVersion }
            if let quality = found.map(\.quality).max() { return quality }
        }
        return 0
    }

    /// One media range: `text/plain;version=0.0.4;q=0.5`.
    private struct Range {
        var type: String
        var version: String?
        var quality = 1.0

        /// `nil` when its weight is none.
        init?(_ text: String) {
            let parts = text.split(separator: ";", omittingEmptySubsequences: false)
            type = Range.trimmed(parts[0]).lowercased()
            for part in parts.dropFirst() {
                let sides = part.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard sides.count == 2 else { continue }
                var value = Range.trimmed(sides[1])[...]
                if value.count >= 2, value.first == "\"", value.last == "\"" {
                    value = value.dropFirst().dropLast()
                }
                switch Range.trimmed(sides[0]).lowercased() {
                case "q":
                    guard let weight = Range.weight(value) else { return nil }
                    quality = weight
                case "version": version = String(value)
                default: break
                }
            }
        }

        var isOpenMetrics: Bool {
            type == "application/openmetrics-text" && (version ?? "1.0.0") == "1.0.0"
        }

        /// Of `text/*` and `*/*` too, since other versions of plain text are none of ours.
        var isPlainVersion: Bool { (version ?? "0.0.4") == "0.0.4" }

        /// `0`, `1`, or one with up to three decimals (RFC 9110, section 12.4.2).
        private static func weight(_ text: Substring) -> Double? {
            let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
            guard (1...5).contains(text.utf8.count), isPlain,
                text.first == "0" || text.first == "1", let value = Double(text),
                (0...1).contains(value)
            else { return nil }
            return value
        }

        private static func trimmed(_ text: Substring) -> String {
            let start = text.drop { $0 == " " || $0 == "\t" }
            let end = start.lastIndex { $0 != " " && $0 != "\t" }
            return end.map { String(start[...$0]) } ?? ""
        }
    }
}
