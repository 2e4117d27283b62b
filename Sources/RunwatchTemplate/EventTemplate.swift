extension TemplateKeys {
    /// The keys that a receiver's template can use.
    ///
    /// A message of one event has its keys at the top and again as the only element of `events`.
    package static let event: TemplateKeys = {
        var keys = eventKeys
        // The `webhook-id`, the same for every attempt.
        keys["id"] = .text
        keys["receiver"] = .text
        keys["count"] = .text
        keys["events"] = .list(of: .object(eventKeys))
        return .object(keys)
    }()

    private static let eventKeys: [String: TemplateKeys] = [
        "id": .text,
        "type": .text,
        "timestamp": .text,
        // What it is about: SERVICE/ID of a run, or the name of a service, a group, a receiver.
        "name": .text,
        // Ready-made words for people.
        "title": .text,
        "text": .text,
        // good, bad, warning or info.
        "severity": .text,
        // The whole event; free, so that {{{event}}} and whatever stands in it are fine.
        "event": .anything,
        "data": .object(data),
    ]

    /// What `data` holds in the events of all types.
    private static let data: [String: TemplateKeys] = [
        // Runs.
        "service": .text, "kind": .text, "run": .text, "label": .text, "group": .text,
        "state": .text, "previous_state": .text, "sequence": .text, "observed_at": .text,
        "not_before": .text, "watched_since": .text, "polls": .text,
        "progress": .object(["done": .text, "total": .text]),
        "message": .text, "detail": .anything,
        // Services.
        "health": .text, "since": .text, "reason": .text,
        // Groups.
        "total": .text, "counts": .anything, "failed": .list(of: .text),
        // Deliveries, and tests of a receiver.
        "delivery": .text, "receiver": .text, "type": .text, "name": .text, "attempts": .text,
    ]
}
