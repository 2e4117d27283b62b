import RunwatchCore
import RunwatchHTTP

/// What came of a request for watches.
package struct AddedWatches: Sendable {
    /// In the order of the request.
    package var watches: [WatchView]
    /// At least one of them was not watched before.
    package var isAnyNew: Bool

    package init(_ watches: [WatchView], isAnyNew: Bool) {
        self.watches = watches
        self.isAnyNew = isAnyNew
    }
}

// The routes that add and remove transient watches.
extension ControlServer {
    func addWatches(_ request: HTTPServerRequest) async throws(Problem) -> HTTPServerResponse {
        let added = try await backend.add(try AskedWatches(json: ControlServer.body(of: request)))
        var response = ControlServer.list("watches", added.watches, next: nil)
        response.status = added.isAnyNew ? 201 : 200
        return response
    }

    func removeWatch(_ name: WatchName) async throws(Problem) -> HTTPServerResponse {
        .json(try await backend.remove(name).json)
    }

    /// The body of a request, which has to be JSON and to say so.
    private static func body(of request: HTTPServerRequest) throws(Problem) -> JSONValue {
        let type = request.header("content-type") ?? ""
        let essence = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard essence == "application/json" else {
            throw Problem(
                .unsupportedType,
                (type.isEmpty
                    ? "The body has no content-type" : "The body's content-type is '\(type)'")
                    + "; send JSON with content-type: application/json.")
        }
        do throws(JSONError) {
            return try JSONValue(parsing: request.body)
        } catch {
            throw Problem(.badBody, "The body is no JSON: \(error).")
        }
    }
}
