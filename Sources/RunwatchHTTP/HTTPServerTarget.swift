/// Takes a request's target apart (RFC 9112, section 3.2).
enum HTTPServerTarget {
    /// The path as sent, and the query's parameters unescaped, in their order.
    ///
    /// Of an absolute target (`http://host/path`) the scheme and the host are left out.
    static func split(_ target: String) -> (path: String, query: [(name: String, value: String)]) {
        // In bytes here and below: a combining character would hide a mark before it.
        let parts = target.utf8.split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false
        ).map { Substring($0) }
        var path = parts[0]
        for scheme in ["http://", "https://"] where path.lowercased().hasPrefix(scheme) {
            let rest = path.dropFirst(scheme.count)
            path = rest.utf8.firstIndex(of: UInt8(ascii: "/")).map { rest[$0...] } ?? "/"
        }
        return (String(path), parts.count > 1 ? parameters(parts[1]) : [])
    }

    /// The first parameter of the query, as sent, whose name or value cannot be unescaped.
    static func brokenParameter(_ target: String) -> String? {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return target.utf8[target.utf8.index(after: mark)...].split(separator: UInt8(ascii: "&"))
            .map { Substring($0) }.first { PercentEncoding.decode($0) == nil }.map { String($0) }
    }

    private static func parameters(_ query: Substring) -> [(name: String, value: String)] {
        query.utf8.split(separator: UInt8(ascii: "&")).map { parameter in
            let sides = parameter.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false
            ).map { Substring($0) }
            return (unescape(sides[0]), sides.count > 1 ? unescape(sides[1]) : "")
        }
    }

    /// Forms write a space as `+`; a value whose escapes are broken stays as it was sent.
    private static func unescape(_ text: Substring) -> String {
        var spaced = ""
        for scalar in text.unicodeScalars {
            spaced.unicodeScalars.append(scalar == "+" ? " " : scalar)
        }
        return PercentEncoding.decode(spaced) ?? String(text)
    }
}
