import Glibc
package import Logging
package import RunwatchCore
import RunwatchLinux
import Synchronization

/// Writes the daemon's log to stderr, one whole line an entry.
///
/// Under systemd a line begins with its priority (`<6>`, sd-daemon(3)), which journald takes off again;
/// elsewhere with the time and the level.
package struct DaemonLogHandler: LogHandler {
    /// What a reload may change, shared by all loggers of the process.
    package final class Sink: Sendable {
        struct State {
            var settings: LogSettings
            var isJournal: Bool
        }

        let state: Mutex<State>

        package init(_ settings: LogSettings = LogSettings()) {
            state = Mutex(
                State(settings: settings, isJournal: JournalStream.isConnected(descriptor: 2)))
        }

        package func apply(_ settings: LogSettings) {
            state.withLock { $0.settings = settings }
        }
    }

    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let sink: Sink

    package init(label: String, sink: Sink) {
        self.label = label
        self.sink = sink
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// The configured level; loggers do not keep one of their own.
    package var logLevel: Logger.Level {
        get { sink.state.withLock { $0.settings.level.loggerLevel } }
        set {}
    }

    package func log(event: LogEvent) {
        let (settings, isJournal) = sink.state.withLock { ($0.settings, $0.isJournal) }
        var fields = metadata
        if let own = event.metadata { fields.merge(own) { _, new in new } }
        let line: String
        switch settings.format {
        case .json: line = DaemonLogHandler.json(event.level, "\(event.message)", fields)
        case .auto where isJournal:
            line = "<\(event.level.priority)>\(DaemonLogHandler.text("\(event.message)", fields))\n"
        case .auto, .text:
            let now = SystemTime().wallClock()
            line =
                "\(now) \(event.level.rawValue) "
                + "\(DaemonLogHandler.text("\(event.message)", fields))\n"
        }
        // One call a line, so that lines of several threads do not mix.
        var text = line
        text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    }

    /// The members of every line.
    private static let ownNames: Set<String> = ["timestamp", "level", "message"]

    static func text(_ message: String, _ fields: Logger.Metadata) -> String {
        var line = escaped(message)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            let text = escaped("\(value)")
            let isPlain = !text.isEmpty && !text.contains { $0 == " " || $0 == "\"" || $0 == "=" }
            line += isPlain ? " \(key)=\(text)" : " \(key)=\"\(quoted(text))\""
        }
        return line
    }

    private static func quoted(_ text: String) -> String {
        text.replacing("\"", with: "\\\"")
    }

    static func json(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata) -> String
    {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("timestamp", SystemTime().wallClock())
        writer.member("level", level.rawValue)
        writer.member("message", message)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            // A name that stands twice would hide one of the two from most readers.
            writer.member(ownNames.contains(key) ? "\(key)_" : key, "\(value)")
        }
        writer.endObject()
        return writer.text + "\n"
    }

    /// What comes from outside may hold line breaks and escape sequences: neither reaches a terminal.
    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            return text
        }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: output += "\\n"
            case 0x0D: output += "\\r"
            case 0x09: output += "\\t"
            case 0..<0x20, 0x7F: output += "\\x\(String(scalar.value, radix: 16))"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}

extension LogSettings.Level {
    var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

extension Logger.Level {
    /// syslog(3)'s priority.
    var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
