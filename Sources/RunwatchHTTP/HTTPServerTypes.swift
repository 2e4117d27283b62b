package import RunwatchLinux

/// A request as the server side sees it.
package struct HTTPServerRequest: Sendable {
    /// In upper case, as sent.
    package var method: String
    /// The path as sent, still percent-encoded, without the query: split first, unescape then.
    package var rawPath: String
    /// Query parameters, unescaped, in the order of the request.
    package var query: [(name: String, value: String)]
    /// The first parameter, as sent, with a broken escape, a NUL or bytes that are no UTF-8; `nil` for none.
    package var brokenParameter: String?
    /// In the order of the request.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Who is at the other end of a Unix socket; `nil` on TCP.
    package var peer: PeerCredentials?

    package init(
        method: String, rawPath: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        peer: PeerCredentials? = nil
    ) {
        self.method = method
        self.rawPath = rawPath
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
    }

    /// The first header of that name, whatever its case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    package func parameter(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// The path's parts, unescaped one by one: `/v1/watches/a/b%2Fc` → `v1`, `watches`, `a`, `b/c`.
    ///
    /// Nothing between two slashes, or after the last one, is a part as well: an empty one. `nil` when an
    /// escape is broken or the result is not UTF-8.
    package var pathParts: [String]? {
        guard rawPath != "/" else { return [] }
        var parts: [String] = []
        // In bytes: with a combining character after it, a slash is no `Character` of its own.
        var rest = rawPath.utf8[...]
        if rest.first == UInt8(ascii: "/") { rest.removeFirst() }
        for part in rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let text = PercentEncoding.decode(Substring(part)) else { return nil }
            parts.append(text)
        }
        return parts
    }
}

/// What the server answers.
package struct HTTPServerResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Chunks as they come, until the stream ends. When the peer goes away, the stream's consumer is
        /// cancelled: its `onTermination` runs.
        case stream(AsyncStream<[UInt8]>)
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(status: Int, headers: [(name: String, value: String)] = [], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPServerResponse {
        HTTPServerResponse(
            status: status, headers: [("content-type", "application/json")], body: .bytes(bytes))
    }
}
