/// Base64 with padding (RFC 4648, section 4); only what HTTP Basic needs.
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: some Collection<UInt8>) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var rest = bytes[...]
        while let first = rest.popFirst() {
            let second = rest.popFirst()
            let third = rest.popFirst()
            let group = UInt32(first) << 16 | UInt32(second ?? 0) << 8 | UInt32(third ?? 0)
            output.append(alphabet[Int(group >> 18)])
            output.append(alphabet[Int(group >> 12 & 63)])
            let padding = UInt8(ascii: "=")
            output.append(second == nil ? padding : alphabet[Int(group >> 6 & 63)])
            output.append(third == nil ? padding : alphabet[Int(group & 63)])
        }
        return String(decoding: output, as: UTF8.self)
    }
}
