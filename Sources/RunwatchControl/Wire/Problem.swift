package import RunwatchCore

/// A refusal of the API: a problem document (RFC 9457).
package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of problem it is; the last part of the document's `type`.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case noSuchRoute = "no-such-route"
        case noSuchWatch = "no-such-watch"
        case noSuchDelivery = "no-such-delivery"
        case noSuchReceiver = "no-such-receiver"
        case methodNotAllowed = "method-not-allowed"
        /// A parameter is unknown, stands twice or cannot be read.
        case badParameter = "bad-parameter"
        case badPath = "bad-path"
        /// The body is no JSON, or does not say what the route needs.
        case badBody = "bad-body"
        case unsupportedType = "unsupported-type"
        /// The request's head breaks a rule of HTTP.
        case malformedRequest = "malformed-request"
        /// The request did not come whole in time.
        case requestTimeout = "request-timeout"
        case contentTooLarge = "content-too-large"
        case targetTooLong = "target-too-long"
        case headTooLarge = "head-too-large"
        case permissionDenied = "permission-denied"
        /// The thing is not in a state in which that can be done.
        case conflict = "conflict"
        case configurationInvalid = "configuration-invalid"
        /// It may work later: the database is busy, the daemon is stopping.
        case unavailable = "unavailable"
        /// Too many connections, or too much that waits for slow readers.
        case overloaded = "overloaded"
        /// Polling or delivery does not advance.
        case notAdvancing = "not-advancing"
        /// The daemon is starting or stopping.
        case notReady = "not-ready"
        case internalError = "internal-error"

        package var status: Int {
            switch self {
            case .badParameter, .badPath, .badBody, .malformedRequest: 400
            case .permissionDenied: 403
            case .noSuchRoute, .noSuchWatch, .noSuchDelivery, .noSuchReceiver: 404
            case .methodNotAllowed: 405
            case .requestTimeout: 408
            case .conflict: 409
            case .contentTooLarge: 413
            case .targetTooLong: 414
            case .unsupportedType: 415
            case .configurationInvalid: 422
            case .headTooLarge: 431
            case .internalError: 500
            case .unavailable, .overloaded, .notAdvancing, .notReady: 503
            }
        }

        /// The same for every problem of the kind.
        package var title: String {
            switch self {
            case .noSuchRoute: "No such route"
            case .noSuchWatch: "No such watch"
            case .noSuchDelivery: "No such delivery"
            case .noSuchReceiver: "No such receiver"
            case .methodNotAllowed: "Method not allowed"
            case .badParameter: "Bad parameter"
            case .badPath: "Bad path"
            case .badBody: "Bad request body"
            case .unsupportedType: "Unsupported content type"
            case .malformedRequest: "Malformed request"
            case .requestTimeout: "The request came too slowly"
            case .contentTooLarge: "The request is too large"
            case .targetTooLong: "The path or its query is too long"
            case .headTooLarge: "The request's head is too large"
            case .permissionDenied: "Permission denied"
            case .conflict: "Not possible now"
            case .configurationInvalid: "The configuration has errors"
            case .unavailable: "Not available now"
            case .overloaded: "Too much at once"
            case .notAdvancing: "Polling or delivery does not advance"
            case .notReady: "Starting or stopping"
            case .internalError: "Internal error"
            }
        }

        package var type: String { "urn:runwatch:problem:\(rawValue)" }
    }

    package var code: Code
    /// Names the thing, the fault and the remedy.
    package var detail: String
    /// Further members of the document, such as `errors`.
    package var members: [JSONValue.Member]

    package init(_ code: Code, _ detail: String, members: [JSONValue.Member] = []) {
        self.code = code
        self.detail = detail
        self.members = members
    }

    package var description: String { detail }

    package static func noSuchWatch(_ name: WatchName) -> Problem {
        Problem(.noSuchWatch, "There is no watch '\(name)'; `runwatchctl list` shows them all.")
    }

    package static func noSuchDelivery(_ id: String) -> Problem {
        Problem(
            .noSuchDelivery,
            "There is no delivery '\(id)'; `runwatchctl deliveries` shows them all.")
    }

    /// - Parameter near: The name that was probably meant.
    package static func noSuchReceiver(_ name: String, near: String?) -> Problem {
        let hint =
            near.map { "did you mean '\($0)'?" } ?? "`runwatchctl status` shows them all."
        return Problem(.noSuchReceiver, "There is no receiver '\(name)'; \(hint)")
    }

    /// The document.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", code.type)
        writer.member("title", code.title)
        writer.member("status", code.status)
        writer.member("detail", detail)
        for member in members {
            writer.key(member.name)
            writer.value(member.value)
        }
        writer.endObject()
        return writer.bytes
    }

    /// Reads a document; `nil` when it is none, or of a type that this program does not know.
    package init?(json value: JSONValue) {
        let prefix = "urn:runwatch:problem:"
        guard let type = value["type"]?.stringValue, type.hasPrefix(prefix),
            let code = Code(rawValue: String(type.dropFirst(prefix.count))),
            let detail = value["detail"]?.stringValue, let members = value.members
        else { return nil }
        let own: Set<String> = ["type", "title", "status", "detail"]
        self.init(code, detail, members: members.filter { !own.contains($0.name) })
    }
}
