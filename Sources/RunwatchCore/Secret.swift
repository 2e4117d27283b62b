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
        var output: [UInt8] = []
        var kept = 0
        // Spans, since most texts hold no secret: then nothing is copied.
        let needle = value.utf8Span.span
        let hay = text.utf8Span.span
        while let place = Secret.place(of: needle, in: hay, from: kept) {
            for index in kept..<place { output.append(hay[index]) }
            output.append(contentsOf: "***".utf8)
            kept = place + needle.count
        }
        guard kept > 0 else { return text }
        for index in kept..<hay.count { output.append(hay[index]) }
        return String(decoding: output, as: UTF8.self)
    }

    private static func place(
        of needle: borrowing Span<UInt8>, in hay: borrowing Span<UInt8>, from start: Int
    ) -> Int? {
        var index = start
        while index + needle.count <= hay.count {
            var matched = 0
            while matched < needle.count, hay[index + matched] == needle[matched] { matched += 1 }
            if matched == needle.count { return index }
            index += 1
        }
        return nil
    }
}
