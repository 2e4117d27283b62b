/// Takes a request's target apart (RFC 9112, section 3.2).
enum HTTPServerTarget {
    /// The path as sent, and the query's parameters unescaped, in their order.
    ///
    /// Of an absolute target (`http://host/path`) the scheme and the host are left out.
    static func split(_ target: String) -> (path: String, query: [(name: String, value: String)]) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = parts[0]
        for scheme in ["http://", "https://"] where path.lowercased().hasPrefix(scheme) {
            let rest = path.dropFirst(scheme.count)
            path = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        return (String(path), parts.count > 1 ? parameters(parts[1]) : [])
    }

    private static func parameters(_ query: Substring) -> [(name: String, value: String)] {
        query.split(separator: "&").map { parameter in
            let sides = parameter.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (unescape(sides[0]), sides.count > 1 ? unescape(sides[1]) : "")
        }
    }

    /// Forms write a space as `+`; a value whose escapes are broken stays as it was sent.
    private static func unescape(_ text: Substring) -> String {
        let spaced = String(text.map { $0 == "+" ? " " : $0 })
        return PercentEncoding.decode(spaced) ?? String(text)
    }
}
