package import RunwatchCore

/// A JSON object of the API, written by the server and read by the client.
package protocol WireView: Sendable, Equatable {
    /// Reads the object; members that it does not know are left alone.
    init(_ object: WireObject) throws(WireError)

    /// Writes the whole object, braces included.
    func write(to writer: inout JSONWriter)
}

extension WireView {
    /// Reads a value of a document; it must be an object.
    package init(json value: JSONValue) throws(WireError) {
        try self.init(WireObject(value, path: ""))
    }

    /// The object as a document of its own.
    package var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

/// An answer that does not have the form of the API, and where.
package struct WireError: Error, Equatable, CustomStringConvertible {
    /// The member's place: `watches[3].state`; empty for the whole document.
    package var path: String
    package var problem: String

    package init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}
