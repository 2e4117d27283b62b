package import RunwatchCore
import RunwatchHTTP

/// Paths of the API, as a client writes them.
package enum ControlPath {
    /// The path of a watch; `verb` is its last part.
    package static func watch(_ name: WatchName, verb: String? = nil) -> String {
        "/v1/watches/\(part(name.service))/\(part(name.run))" + (verb.map { "/\($0)" } ?? "")
    }

    /// The path of a delivery; `verb` is its last part.
    package static func delivery(_ id: String, verb: String? = nil) -> String {
        "/v1/deliveries/\(part(id))" + (verb.map { "/\($0)" } ?? "")
    }

    /// The path of what can be done with a receiver.
    package static func receiver(_ name: String, verb: String) -> String {
        "/v1/receivers/\(part(name))/\(verb)"
    }

    /// A path with a query; parameters without a value are left out.
    package static func query(_ path: String, _ parameters: [(String, String?)]) -> String {
        var text = path
        var separator = "?"
        for (name, value) in parameters {
            guard let value else { continue }
            text += "\(separator)\(name)=\(PercentEncoding.encode(value))"
            separator = "&"
        }
        return text
    }

    private static func part(_ text: String) -> String {
        // Clients take `.` and `..` out of a path before they send it, and no escape but this one helps.
        if text == "." || text == ".." { return text.replacing(".", with: "%2E") }
        return PercentEncoding.encode(text)
    }
}
