/// Judges a request's head by the rules that libmicrohttpd leaves to its user (RFC 9112).
///
/// What is ambiguous is refused: another program before us might have read it otherwise.
enum HTTPServerHeadCheck {
    /// The longest method of RFC 9110 has 7 letters, of all registered ones 17.
    private static let longestMethod = 32

    /// - Returns: `nil` when nothing is wrong.
    static func fault(
        in request: HTTPServerRequest, target: String, version: String
    ) -> HTTPServerRefusal? {
        guard request.method.utf8.count <= longestMethod, isToken(request.method) else {
            return .malformed("its method is none")
        }
        guard !target.isEmpty, !target.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            return .malformed("its target is empty, or holds a space or a control character")
        }
        guard request.headers.allSatisfy({ isToken($0.name) }) else {
            return .malformed("a header's name is none")
        }
        let hosts = request.headers(named: "host").count
        guard hosts == 1 || (hosts == 0 && version == "HTTP/1.0") else {
            return .malformed("it has \(hosts == 0 ? "no" : "more than one") Host header")
        }
        if let expectation = request.header("expect"),
            expectation.lowercased() != "100-continue"
        {
            return .malformed("of all expectations only '100-continue' can be met")
        }
        return faultOfBody(request)
    }

    /// How long a body is has to be said once (RFC 9112, section 6).
    private static func faultOfBody(_ request: HTTPServerRequest) -> HTTPServerRefusal? {
        let lengths = request.headers(named: "content-length").count
        let codings = request.headers(named: "transfer-encoding")
        guard lengths + codings.count <= 1 else {
            return .malformed("it says more than once how long its body is")
        }
        guard codings.allSatisfy({ $0.lowercased() == "chunked" }) else {
            return .malformed("of all transfer codings only 'chunked' is known")
        }
        return nil
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}

extension HTTPServerRequest {
    fileprivate func headers(named name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name }.map(\.value)
    }
}
