import RunwatchCore
import RunwatchHTTP

/// What every HTTP service means alike by its failures.
extension PollAnswer {
    /// The service's fault, judged by the HTTP status alone.
    ///
    /// - Parameters:
    ///   - words: What the service says itself, cleaned; empty when it says nothing.
    ///   - missing: What 404 means, since no kind answers so about a run in this form.
    static func failure(
        of response: HTTPResponse, words: String,
        missing: String = "nothing is there: check the service's url"
    ) -> PollAnswer {
        func failed(_ reason: PollFailureReason, remedy: String = "") -> PollAnswer {
            let said = words.isEmpty ? "" : ": \(words)"
            let message = "HTTP \(response.status)\(said)\(remedy.isEmpty ? "" : "; \(remedy)")"
            return .failed(reason, message: message, retryAfter: response.retryAfter)
        }
        switch response.status {
        case 300...399:
            return failed(.refused, remedy: "redirects are not followed: check the service's url")
        case 401, 403: return failed(.unauthorized, remedy: "check the service's credentials")
        case 404: return failed(.refused, remedy: missing)
        case 408: return failed(.timeout)
        case 429: return failed(.throttled)
        case 500...599: return failed(.unavailable)
        default: return failed(.refused)
        }
    }

    /// An answer with status 200 that does not follow the protocol.
    static func unreadable(_ problem: String) -> PollAnswer {
        .failed(.unreadable, message: "unreadable answer: \(problem)", retryAfter: nil)
    }

    /// A body that is not the JSON that was expected.
    static func unreadable(_ body: [UInt8], _ error: JSONError) -> PollAnswer {
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch first {
        case nil: return unreadable("it is empty")
        case UInt8(ascii: "<"):
            return unreadable("it is a web page instead of JSON: check the service's url")
        default: return unreadable(error.description)
        }
    }
}

extension JSONReader {
    /// The next value if it is a string; anything else is read past.
    mutating func stringOrSkip() throws(JSONError) -> String? {
        guard try peek() == .string else {
            try skip()
            return nil
        }
        return try string()
    }
}
