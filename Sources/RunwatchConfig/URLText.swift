/// URLs as the configuration takes them; nothing here ever shows one, since it may hold a secret.
enum URLText {
    enum Purpose {
        /// A base URL: no query; a trailing slash goes.
        case service
        /// A whole URL; its query may hold what the receiver wants.
        case webhook
        /// As a webhook's; its path is the key.
        case incomingWebhook
        /// A base URL of an ntfy server.
        case ntfy
        /// A mail server: a host and a port.
        case smtp
        case proxy

        var schemes: [String] {
            switch self {
            case .service, .webhook, .incomingWebhook, .ntfy: ["http", "https"]
            case .smtp: ["smtp", "smtps"]
            case .proxy: ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]
            }
        }

        /// Whether it is sent to as it is; of all others the slash at the end goes.
        var isWhole: Bool { self == .webhook || self == .incomingWebhook }

        /// What to do instead of writing credentials into it.
        var remedy: String {
            switch self {
            case .service, .smtp: "give them by username and password"
            case .webhook: "sign with 'secret', or send a header 'authorization'"
            case .incomingWebhook: "use the URL as the service gave it"
            case .ntfy: "use 'token'"
            case .proxy: "use a proxy that asks for none"
            }
        }
    }

    struct Fault: Error {
        let message: String
    }

    /// Checks a URL.
    ///
    /// - Returns: The URL with its scheme in lower case.
    static func check(_ text: String, _ purpose: Purpose) throws(Fault) -> String {
        let schemes = purpose.schemes
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
        if !purpose.isWhole, rest.contains("?") {
            throw Fault(message: "cannot have a query ('?…')")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") {
            throw Fault(message: "cannot hold credentials; \(purpose.remedy)")
        }
        try checkHost(authority)
        if !purpose.isWhole {
            while rest.last == "/" { rest.removeLast() }
        }
        if purpose == .smtp, rest.contains("/") {
            throw Fault(message: "cannot have a path; it is a host and a port")
        }
        return "\(scheme)://\(rest)"
    }

    /// The host of a URL that passed `check`, without the brackets of IPv6.
    static func host(of url: String) -> Substring {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard authority.first == "[" else { return authority.prefix { $0 != ":" } }
        return authority.dropFirst().prefix { $0 != "]" }
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
