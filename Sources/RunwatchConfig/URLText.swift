/// URLs as the configuration takes them; nothing here ever shows one, since it may hold a secret.
enum URLText {
    enum Purpose {
        /// A base URL: no query; a trailing slash goes.
        case service
        /// A whole URL; its query may hold what the receiver wants.
        case webhook
        case proxy
    }

    struct Fault: Error {
        let message: String
    }

    /// Checks a URL.
    ///
    /// - Returns: The URL with its scheme in lower case.
    static func check(_ text: String, _ purpose: Purpose) throws(Fault) -> String {
        let schemes =
            purpose == .proxy
            ? ["http", "https", "socks4", "socks4a", "socks5", "socks5h"] : ["http", "https"]
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            throw Fault(message: "needs a scheme, such as \(schemes[0])://HOST")
        }
        let scheme = text[..<colon].lowercased()
        guard schemes.contains(scheme) else {
            throw Fault(message: "has a scheme other than \(schemes.joined(separator: ", "))")
        }
        guard text.utf8.count <= 4096 else { throw Fault(message: "is longer than 4096 bytes") }
        var rest = text[colon...].dropFirst(3)
        guard rest.utf8.allSatisfy(isAllowed) else {
            throw Fault(message: "holds a space or another character that needs percent-encoding")
        }
        guard hasWholeEscapes(rest) else {
            throw Fault(message: "holds a '%' without two hexadecimal digits")
        }
        if rest.contains("#") { throw Fault(message: "cannot have a fragment ('#…')") }
        if purpose != .webhook, rest.contains("?") {
            throw Fault(message: "cannot have a query ('?…')")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") {
            throw Fault(message: "cannot hold credentials; \(remedy(purpose))")
        }
        try checkHost(authority)
        if purpose != .webhook {
            while rest.last == "/" { rest.removeLast() }
        }
        return "\(scheme)://\(rest)"
    }

    private static func remedy(_ purpose: Purpose) -> String {
        switch purpose {
        case .service: "give them by username and password"
        case .webhook: "sign with 'secret' instead"
        case .proxy: "use a proxy that asks for none"
        }
    }

    private static func checkHost(_ authority: Substring) throws(Fault) {
        var host = authority
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else {
                throw Fault(message: "has an IPv6 address without ']'")
            }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard !host.isEmpty, host.utf8.allSatisfy(isAddressByte),
                after.isEmpty || after.first == ":"
            else { throw Fault(message: "has a faulty IPv6 address") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                port = authority[authority.index(after: colon)...]
            }
            guard !host.isEmpty else { throw Fault(message: "has no host") }
            guard host.utf8.count <= 253, host.utf8.allSatisfy(isHostByte) else {
                throw Fault(message: "has a faulty host name")
            }
        }
        guard let port else { return }
        guard let number = NumberText.integer(port), (1...65_535).contains(number) else {
            throw Fault(message: "has a faulty port; it is a number from 1 to 65535")
        }
    }

    /// What RFC 3986 allows anywhere in a URL.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"<>\\^`{|}".utf8.contains(byte)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        ASCII.isNameByte(byte) || byte == UInt8(ascii: ".")
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
            || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }

    private static func hasWholeEscapes(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        func isHexadecimal(_ index: Int) -> Bool {
            guard index < bytes.count else { return false }
            return ASCII.isDigit(bytes[index])
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(bytes[index] | 0x20)
        }
        return bytes.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "%")
                || isHexadecimal(index + 1) && isHexadecimal(index + 2)
        }
    }
}
