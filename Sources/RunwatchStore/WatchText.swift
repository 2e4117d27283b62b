import RunwatchCore

/// How the parts of a watch's specification are kept as JSON.
enum WatchText {
    /// An object with its keys in order; `{}` for none.
    static func write(_ parameters: [String: String]) -> String {
        guard !parameters.isEmpty else { return "{}" }
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            writer.member(name, value)
        }
        writer.endObject()
        return writer.text
    }

    static func parameters(_ text: String) -> [String: String] {
        guard text != "{}", let value = object(text) else { return [:] }
        var parameters: [String: String] = [:]
        for member in value.members ?? [] { parameters[member.name] = member.value.stringValue }
        return parameters
    }

    /// The settings that a transient watch was asked with, as the API writes them; `{}` for none.
    static func write(_ overrides: WatchOverrides) -> String {
        guard !overrides.isEmpty else { return "{}" }
        var writer = JSONWriter()
        writer.beginObject()
        if overrides.hasPoll {
            writer.key("poll")
            writer.beginObject()
            writer.member("initial", overrides.initial.map(DurationText.format))
            number("factor", overrides.factor, &writer)
            writer.member("max", overrides.maximum.map(DurationText.format))
            number("jitter", overrides.jitter, &writer)
            writer.endObject()
        }
        writer.member("deadline", overrides.deadline.map(text))
        writer.member("pending_after", overrides.pendingAfter.map(text))
        writer.member("stall_after", overrides.stallAfter.map(text))
        writer.member("not_found_grace", overrides.notFoundGrace.map(DurationText.format))
        if let notify = overrides.notify {
            writer.key("notify")
            writer.beginArray()
            for receiver in notify { writer.string(receiver) }
            writer.endArray()
        }
        writer.endObject()
        return writer.text
    }

    /// What cannot be read, or is out of the bounds that a configuration has, is left to the defaults.
    static func overrides(_ text: String) -> WatchOverrides {
        var overrides = WatchOverrides()
        guard text != "{}", let value = object(text) else { return overrides }
        let poll = value["poll"]
        overrides.initial = duration(poll?["initial"]).map { max(.milliseconds(50), $0) }
        overrides.maximum = duration(poll?["max"]).map { max(.milliseconds(50), $0) }
        overrides.factor = number(poll?["factor"]).map { min(100, max(1, $0)) }
        overrides.jitter = number(poll?["jitter"]).map { min(1, max(0, $0)) }
        overrides.deadline = limit(value["deadline"])
        overrides.pendingAfter = limit(value["pending_after"])
        overrides.stallAfter = limit(value["stall_after"])
        overrides.notFoundGrace = duration(value["not_found_grace"])
        overrides.notify = value["notify"]?.arrayValue?.compactMap(\.stringValue)
        return overrides
    }

    private static func text(_ limit: TimeLimit) -> String {
        limit.duration.map(DurationText.format) ?? "none"
    }

    private static func number(_ name: String, _ value: Double?, _ writer: inout JSONWriter) {
        guard let value else { return }
        writer.key(name)
        writer.number(value)
    }

    private static func duration(_ value: JSONValue?) -> Duration? {
        value?.stringValue.flatMap { DurationText.parse($0) }
    }

    private static func limit(_ value: JSONValue?) -> TimeLimit? {
        value?.stringValue == "none" ? TimeLimit.none : duration(value).map { .after($0) }
    }

    private static func number(_ value: JSONValue?) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number.isFinite ? number : nil
        default: nil
        }
    }

    private static func object(_ text: String) -> JSONValue? {
        do throws(JSONError) {
            return try JSONValue(parsing: text)
        } catch {
            // A damaged column is as good as an empty one: the watch itself matters more.
            return nil
        }
    }
}

extension WatchOverrides {
    fileprivate var hasPoll: Bool {
        initial != nil || factor != nil || maximum != nil || jitter != nil
    }
}
