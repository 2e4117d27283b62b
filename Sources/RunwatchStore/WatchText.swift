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

    /// What a transient watch was asked with: no file has it, so the database keeps it.
    static func write(_ settings: WatchSettings) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("poll")
        writer.beginObject()
        writer.member("initial_ms", settings.poll.initial.wholeMilliseconds)
        writer.key("factor")
        writer.number(settings.poll.factor)
        writer.member("max_ms", settings.poll.maximum.wholeMilliseconds)
        writer.key("jitter")
        writer.number(settings.poll.jitter)
        writer.endObject()
        writer.member("deadline_ms", settings.deadline?.wholeMilliseconds)
        writer.member("pending_after_ms", settings.pendingAfter?.wholeMilliseconds)
        writer.member("stall_after_ms", settings.stallAfter?.wholeMilliseconds)
        writer.member("not_found_grace_ms", settings.notFoundGrace.wholeMilliseconds)
        writer.key("notify")
        writer.beginArray()
        for receiver in settings.notify { writer.string(receiver) }
        writer.endArray()
        writer.endObject()
        return writer.text
    }

    /// What cannot be read is as by default, within the bounds that a configuration has.
    static func settings(_ text: String) -> WatchSettings {
        let value = object(text)
        func duration(_ name: String, of value: JSONValue?) -> Duration? {
            value?[name]?.integerValue.map { .milliseconds(max(0, $0)) }
        }
        let poll = value?["poll"]
        let standard = PollSettings.standard
        let initial = max(
            .milliseconds(50), duration("initial_ms", of: poll) ?? standard.initial)
        return WatchSettings(
            poll: PollSettings(
                initial: initial,
                factor: max(1, number("factor", of: poll) ?? standard.factor),
                maximum: max(initial, duration("max_ms", of: poll) ?? standard.maximum),
                jitter: min(1, max(0, number("jitter", of: poll) ?? standard.jitter))),
            deadline: duration("deadline_ms", of: value),
            pendingAfter: duration("pending_after_ms", of: value),
            stallAfter: duration("stall_after_ms", of: value),
            notFoundGrace: duration("not_found_grace_ms", of: value) ?? .seconds(60),
            notify: value?["notify"]?.arrayValue?.compactMap { $0.stringValue } ?? [])
    }

    private static func number(_ name: String, of value: JSONValue?) -> Double? {
        switch value?[name] {
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
