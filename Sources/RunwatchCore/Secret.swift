/// A value that must never be shown: it prints as `***`, reflects as nothing and encodes to nothing.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: String

    package init(_ value: String) {
        self.value = value
    }

    /// The secret itself, for the one place that sends or signs with it.
    package func reveal() -> String { value }

    package var isEmpty: Bool { value.isEmpty }
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Replaces every occurrence of the secret in `text` with `***`.
    ///
    /// Secrets shorter than four characters are left alone: they occur by chance everywhere.
    package func redacted(from text: String) -> String {
        guard value.utf8.count >= 4 else { return text }
        let needle = Array(value.utf8)
        let hay = Array(text.utf8)
        guard hay.count >= needle.count else { return text }
        var output: [UInt8] = []
        output.reserveCapacity(hay.count)
        var index = 0
        var found = false
        while index < hay.count {
            if hay[index] == needle[0], index + needle.count <= hay.count,
                hay[index..<index + needle.count].elementsEqual(needle)
            {
                output.append(contentsOf: "***".utf8)
                index += needle.count
                found = true
            } else {
                output.append(hay[index])
                index += 1
            }
        }
        return found ? String(decoding: output, as: UTF8.self) : text
    }
}
