/// The name of a watch: a service and the service's own ID of a run, written `SERVICE/ID`.
package struct WatchName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest ID of a run, in bytes: 200 characters of any script, and some room.
    package static let longestRun = 1024

    package var service: String
    /// Opaque text; it may hold slashes, spaces and any other printable character.
    package var run: String

    package init(service: String, run: String) {
        self.service = service
        self.run = run
    }

    /// Splits at the first `/`; `nil` when either part would be empty.
    package init?(_ text: some StringProtocol) {
        // In bytes: with a combining character after it, a slash is no `Character` of its own.
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let service = text.utf8[..<slash]
        let run = text.utf8[text.utf8.index(after: slash)...]
        guard !service.isEmpty, !run.isEmpty else { return nil }
        self.init(
            service: String(decoding: service, as: UTF8.self),
            run: String(decoding: run, as: UTF8.self))
    }

    package var description: String { "\(service)/\(run)" }

    /// Byte by byte: IDs that only look alike are different runs.
    package static func == (left: WatchName, right: WatchName) -> Bool {
        ExactText.areSame(left.service, right.service) && ExactText.areSame(left.run, right.run)
    }

    package static func < (left: WatchName, right: WatchName) -> Bool {
        left.service == right.service ? left.run < right.run : left.service < right.service
    }
}
