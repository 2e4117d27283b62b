import CCurl

extension HTTPFailure {
    /// What a failed transfer means for the one who asked.
    ///
    /// - Parameter text: libcurl's own words on this failure; empty when it has none. They name hosts, ports
    ///   and files, but some also a whole URL with its user and password: those are not used.
    init(_ code: CURLcode, text: String) {
        let words = text.isEmpty || text.contains("@") ? CurlLibrary.text(code) : text
        switch code {
        case CURLE_URL_MALFORMAT:
            self.init(.badRequest, "the URL is malformed")
        case CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION, CURLE_BAD_FUNCTION_ARGUMENT:
            self.init(.badRequest, words)
        case CURLE_COULDNT_RESOLVE_PROXY:
            self.init(.name, "the proxy's name does not resolve, or its URL is malformed")
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(.name, words)
        case CURLE_OPERATION_TIMEDOUT:
            self.init(.timeout, words)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_SSL_SHUTDOWN_FAILED:
            self.init(.interrupted, words)
        case CURLE_RECV_ERROR:
            self.init(HTTPFailure.receiving(words), words)
        // The scheme is checked before: what is unsupported is the answer's version of HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_WRITE_ERROR:
            self.init(.malformed, words)
        case CURLE_FILESIZE_EXCEEDED, CurlLibrary.tooLarge:
            self.init(.tooLarge, words)
        case CURLE_OUT_OF_MEMORY:
            // What libcurl says of a header line above 100 KiB.
            self.init(.tooLarge, "a header of the answer is too large, or memory is out")
        case CURLE_ABORTED_BY_CALLBACK:
            self.init(.cancelled, words)
        default:
            // Refused, unreachable, a bad certificate, a file that cannot be read, no memory.
            self.init(.connect, words)
        }
    }

    /// One code of libcurl stands for a broken connection and for a broken answer; its words tell which.
    private static func receiving(_ words: String) -> Code {
        if words.contains("chunk") { return .malformed }
        if words.contains("CONNECT") { return .connect }
        return words.contains("oo large") ? .tooLarge : .interrupted
    }
}
