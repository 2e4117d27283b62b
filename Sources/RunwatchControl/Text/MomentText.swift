import RunwatchCore

/// Moments close to another one that the reader has just seen.
enum MomentText {
    /// The time of day alone, when it is of the same day (UTC) as `other`; else the whole moment.
    static func beside(_ moment: Timestamp, _ other: Timestamp) -> String {
        let text = moment.description
        let day = text.prefix { $0 != "T" }
        guard other.description.hasPrefix(day) else { return text }
        return String(text.dropFirst(day.count + 1).prefix { $0 != "Z" })
    }
}
