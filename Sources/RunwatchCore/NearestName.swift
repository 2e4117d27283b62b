/// Finds the valid name that was probably meant.
package enum NearestName {
    /// Longer texts are no misspelt names.
    private static let maximumLength = 64

    /// The candidate that is closest to `text`; `nil` when none is near.
    ///
    /// Near is a difference in case or of `-` and `_`, a beginning or an end left out (`warn` for
    /// `warning`), or one slip in three characters. The first of equals wins.
    package static func find(_ text: String, among candidates: some Sequence<String>) -> String? {
        let word = folded(text)
        guard !word.isEmpty, word.count <= maximumLength else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates where candidate != text {
            let other = folded(candidate)
            guard other.count <= maximumLength else { continue }
            var distance = distance(word, other)
            // Half a word is a good hint, though many letters are missing.
            if word.count >= 3, distance > 1, other.starts(with: word) || ends(other, with: word) {
                distance = 1
            }
            let reach = max(1, min(3, max(word.count, other.count) / 3))
            // A slip in a name of two letters says nothing: every such name is near.
            guard distance <= (other.count <= 2 ? 0 : reach) else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    private static func folded(_ text: String) -> [UInt8] {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "-"): UInt8(ascii: "_")
            default: byte
            }
        }
    }

    private static func ends(_ word: [UInt8], with end: [UInt8]) -> Bool {
        word.count >= end.count && word.suffix(end.count).elementsEqual(end)
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var cost = min(
                    last[column] + (left[row] == right[column] ? 0 : 1), last[column + 1] + 1,
                    current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
