import RunwatchCore

/// How text is emphasised: by colours on a terminal, or not at all.
package struct TextStyle: Hashable, Sendable {
    package enum Paint: String, Hashable, Sendable {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    package var isColoured: Bool

    package static let plain = TextStyle(isColoured: false)

    package init(isColoured: Bool) {
        self.isColoured = isColoured
    }

    /// Colours are for a terminal that has them, and for people who have not asked for none
    /// (no-color.org: any value but the empty one).
    package init(isTerminal: Bool, environment: [String: String]) {
        let refuses = !(environment["NO_COLOR"] ?? "").isEmpty
        isColoured = isTerminal && !refuses && environment["TERM"] != "dumb"
    }

    package func paint(_ text: String, _ paint: Paint) -> String {
        guard isColoured, paint != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m"
    }
}

extension RunState {
    var paint: TextStyle.Paint {
        switch self {
        case .unknown: .dim
        case .pending: .yellow
        case .running: .cyan
        case .complete: .green
        case .error, .killed, .lost, .timeout: .red
        }
    }
}

extension ServiceHealth {
    var paint: TextStyle.Paint {
        switch self {
        case .up: .green
        case .degraded: .yellow
        case .down: .red
        }
    }
}
