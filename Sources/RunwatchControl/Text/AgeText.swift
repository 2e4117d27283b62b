package import RunwatchCore

/// Moments as people say them: how long ago, or in how long.
package enum AgeText {
    /// `now`, `12s ago`, `3m ago`, `1h12m ago`, `3d4h ago`; `in 5s` for what is to come.
    package static func relative(_ moment: Timestamp, now: Timestamp) -> String {
        let span = moment.duration(to: now)
        if span >= .seconds(1) { return "\(rough(span)) ago" }
        if span <= .seconds(-1) { return "in \(rough(.zero - span))" }
        return "now"
    }

    /// As `relative`, for what is planned: a moment that has passed is `due`.
    package static func planned(_ moment: Timestamp, now: Timestamp) -> String {
        moment <= now ? "due" : relative(moment, now: now)
    }

    /// The moment itself, and how long ago it was.
    package static func full(_ moment: Timestamp, now: Timestamp) -> String {
        "\(moment) (\(relative(moment, now: now)))"
    }

    /// A span: one unit below an hour, two above.
    package static func rough(_ span: Duration) -> String {
        let seconds = max(0, span.wholeMilliseconds / 1000)
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m" }
        let (large, small, names) =
            seconds < 86_400
            ? (seconds / 3600, seconds / 60 % 60, ("h", "m"))
            : (seconds / 86_400, seconds / 3600 % 24, ("d", "h"))
        return small == 0 ? "\(large)\(names.0)" : "\(large)\(names.0)\(small)\(names.1)"
    }
}

/// Numbers of things, in words.
enum CountText {
    /// `1 error`, `3 errors`.
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// `9,988`: thousands apart.
    static func grouped(_ number: Int) -> String {
        let digits = String(number)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }

    /// `8 complete, 1 error`: the states with any, in the order of a run's life.
    static func states(_ counts: [RunState: Int]) -> String {
        RunState.allCases.compactMap { state in
            guard let count = counts[state], count > 0 else { return nil }
            return "\(count) \(state.name)"
        }.joined(separator: ", ")
    }
}
