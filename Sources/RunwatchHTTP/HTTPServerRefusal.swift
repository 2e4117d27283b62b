import RunwatchCore

/// Why a server answers a request by itself, without its handler.
package enum HTTPServerRefusal: Hashable, Sendable {
    /// The request's head breaks a rule of RFC 9112; the text says which.
    case malformed(String)
    /// The path and its query are longer than so many bytes.
    case targetTooLong(limit: Int)
    /// The request line and the headers are larger than so many bytes.
    case headTooLarge(limit: Int)
    /// The request was not whole in time.
    case late
    /// The body is larger than so many bytes.
    case tooLarge(limit: Int)
    /// The peer's user has too many connections.
    case tooManyConnections
    /// Too much is held for slow peers already.
    case tooMuchHeld
    case stopping

    package var status: Int {
        switch self {
        case .malformed: 400
        case .late: 408
        case .tooLarge: 413
        case .targetTooLong: 414
        case .headTooLarge: 431
        case .tooManyConnections, .tooMuchHeld, .stopping: 503
        }
    }

    /// The phrase that HTTP has for the status (RFC 9110, section 15).
    package var phrase: String {
        switch self {
        case .malformed: "Bad Request"
        case .late: "Request Timeout"
        case .tooLarge: "Content Too Large"
        case .targetTooLong: "URI Too Long"
        case .headTooLarge: "Request Header Fields Too Large"
        case .tooManyConnections, .tooMuchHeld, .stopping: "Service Unavailable"
        }
    }

    /// Names the thing, the fault and the remedy.
    package var detail: String {
        switch self {
        case .malformed(let fault): "The request is malformed: \(fault)."
        case .targetTooLong(let limit):
            "The path and its query are longer than \(limit) bytes; ask for less at once."
        case .headTooLarge(let limit): "The request's head is larger than \(limit) bytes."
        case .late: "The request did not come whole in time."
        case .tooLarge(let limit): "The request body is larger than \(limit) bytes."
        case .tooManyConnections:
            "Too many connections are open, by your user or in all; close some, or try again."
        case .tooMuchHeld: "Too much waits for slow readers; try again in a moment."
        case .stopping: "The server is stopping."
        }
    }

    /// `Retry-After`, in seconds, where trying again helps.
    package var retryAfter: Int? { status == 503 ? 1 : nil }

    /// A problem document without a type of its own (RFC 9457, section 4.2.1).
    package static func plain(_ refusal: HTTPServerRefusal) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "about:blank")
        writer.member("title", refusal.phrase)
        writer.member("status", refusal.status)
        writer.member("detail", refusal.detail)
        writer.endObject()
        return writer.bytes
    }
}
