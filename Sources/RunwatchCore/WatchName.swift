/// The name of a watch: a service and the service's own ID of a run, written `SERVICE/ID`.
package struct WatchName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var service: String
    /// Opaque text; it may hold slashes, spaces and any other printable character.
    package var run: String

    package init(service: String, run: String) {
        self.service = service
        self.run = run
    }

    /// Splits at the first `/`; `nil` when either part would be empty.
    package init?(_ text: some StringProtocol) {
        guard let slash = text.firstIndex(of: "/") else { return nil }
        let service = text[..<slash]
        let run = text[text.index(after: slash)...]
        guard !service.isEmpty, !run.isEmpty else { return nil }
        self.init(service: String(service), run: String(run))
    }

    package var description: String { "\(service)/\(run)" }

    package static func < (left: WatchName, right: WatchName) -> Bool {
        left.service == right.service ? left.run < right.run : left.service < right.service
    }
}
