package import RunwatchCore

/// One request to send.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    package var method: Method
    /// Absolute, http or https.
    package var url: String
    /// In the order of sending.
    ///
    /// Values come from the configuration and the kinds; a line break in one
    /// makes the request fail before it is sent.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// From the start to the last byte of the answer.
    package var timeout: Duration
    /// The largest answer body that is read; one byte more fails with `.tooLarge`.
    package var maximumAnswer: Int

    package init(
        method: Method = .post, url: String, headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], timeout: Duration = .seconds(30), maximumAnswer: Int = 8 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maximumAnswer = maximumAnswer
    }
}

/// One whole answer.
package struct HTTPResponse: Sendable {
    package var status: Int
    /// Without parameters and in lower case, such as `application/json`; empty when not given.
    package var contentType: String
    /// What the server asks for with `Retry-After`.
    package var retryAfter: RetryHint?
    package var body: [UInt8]

    package init(
        status: Int, contentType: String = "", retryAfter: RetryHint? = nil, body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.retryAfter = retryAfter
        self.body = body
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3).
package enum RetryHint: Hashable, Sendable {
    case after(Duration)
    /// An HTTP date.
    case at(Timestamp)

    /// The wait from `now`: never negative, and at most `limit`.
    package func wait(from now: Timestamp, limit: Duration) -> Duration {
        switch self {
        case .after(let duration): min(max(.zero, duration), limit)
        case .at(let moment): min(max(.zero, now.duration(to: moment)), limit)
        }
    }
}

/// Why there is no answer.
package struct HTTPFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The name does not resolve.
        case name
        /// No connection, or TLS failed.
        case connect
        /// The address is private, and the options refuse such.
        case refused
        /// The connection ended before the answer did.
        case interrupted
        case timeout
        /// The body is larger than `maximumAnswer`, or the headers than 256 KiB.
        case tooLarge
        /// The answer is not HTTP.
        case malformed
        /// The request itself cannot be sent: a bad URL or header.
        case badRequest
        /// Cancelled, or the transport was closed.
        case cancelled
    }

    package var code: Code
    /// For people; never holds headers or bodies.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
