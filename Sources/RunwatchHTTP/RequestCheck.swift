/// What must hold of a request before libcurl sees it.
///
/// libcurl takes C strings and sends header lines as they are: a line break would start a new header, a NUL
/// would cut the text.
enum RequestCheck {
    static func check(_ request: HTTPRequest) throws(HTTPFailure) {
        try check(url: request.url)
        for header in request.headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(isNameByte) else {
                throw HTTPFailure(
                    .badRequest, "a header's name is empty or has a character that none may have")
            }
            guard !header.value.utf8.contains(where: isLineBreak) else {
                // The name is plain, the value may be a secret.
                throw HTTPFailure(
                    .badRequest, "the header \(header.name) has a line break or NUL in its value")
            }
        }
    }

    static func check(_ options: HTTPConnectionOptions) throws(HTTPFailure) {
        let texts = [
            options.caFile, options.certFile, options.keyFile, options.proxy, options.unixSocket,
        ]
        guard !texts.contains(where: { $0?.utf8.contains(0) ?? false }) else {
            throw HTTPFailure(.badRequest, "a file's name or the proxy's URL holds a NUL")
        }
        guard !options.refusesPrivate || (options.proxy ?? "").isEmpty else {
            throw HTTPFailure(
                .badRequest, "deny_private cannot be kept through a proxy: it connects by itself")
        }
    }

    private static func check(url: String) throws(HTTPFailure) {
        let scheme = url.prefix(8).lowercased()
        guard scheme.hasPrefix("http://") || scheme == "https://" else {
            throw HTTPFailure(.badRequest, "the URL must start with http:// or https://")
        }
        guard !url.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else {
            throw HTTPFailure(.badRequest, "the URL holds a space or a control character")
        }
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == 13 || byte == 10 || byte == 0 }

    /// RFC 9110, section 5.6.2: the characters of a token.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
