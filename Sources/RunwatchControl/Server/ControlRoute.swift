package import RunwatchCore

/// What a path of the API names.
package enum ControlRoute: Hashable, Sendable {
    case status
    case watches
    case watch(WatchName)
    case transitions(WatchName)
    case poll(WatchName)
    case rewatch(WatchName)
    case events
    case eventStream
    case deliveries
    /// A delivery, by its ID.
    case delivery(String)
    case redeliver(String)
    /// Many at once.
    case redeliverAll
    /// A receiver, by its name.
    case testReceiver(String)
    case reload
    case metrics
    case health
    case readiness
    /// The OpenAPI document.
    case document

    /// Finds the route of a path's unescaped parts; `nil` when there is none.
    ///
    /// A run's ID is one part, whatever it holds. Only a fifth part is a verb, so a run may well be called
    /// `poll`.
    package init?(parts: [String]) {
        // Two slashes in a row, or one at the end, name nothing: `s//x` is not `s/x`.
        guard !parts.contains("") else { return nil }
        switch parts.count {
        case 1:
            switch parts[0] {
            case "metrics": self = .metrics
            case "healthz": self = .health
            case "readyz": self = .readiness
            default: return nil
            }
        case 2 where parts[0] == "v1":
            switch parts[1] {
            case "status": self = .status
            case "watches": self = .watches
            case "events": self = .events
            case "deliveries": self = .deliveries
            case "reload": self = .reload
            case "openapi.json": self = .document
            default: return nil
            }
        case 3 where parts[0] == "v1" && parts[1] == "events" && parts[2] == "stream":
            self = .eventStream
        case 3 where parts[0] == "v1" && parts[1] == "deliveries":
            // No ID: those begin with `msg_`.
            self = parts[2] == "redeliver" ? .redeliverAll : .delivery(parts[2])
        case 4 where parts[0] == "v1" && parts[1] == "deliveries" && parts[3] == "redeliver":
            self = .redeliver(parts[2])
        case 4 where parts[0] == "v1" && parts[1] == "receivers" && parts[3] == "test":
            self = .testReceiver(parts[2])
        case 4 where parts[0] == "v1" && parts[1] == "watches":
            self = .watch(WatchName(service: parts[2], run: parts[3]))
        case 5 where parts[0] == "v1" && parts[1] == "watches":
            let name = WatchName(service: parts[2], run: parts[3])
            switch parts[4] {
            case "transitions": self = .transitions(name)
            case "poll": self = .poll(name)
            case "rewatch": self = .rewatch(name)
            default: return nil
            }
        default: return nil
        }
    }

    /// The methods that it takes, besides `HEAD` where it takes `GET`.
    package var methods: [String] {
        switch self {
        case .poll, .rewatch, .reload, .redeliver, .redeliverAll, .testReceiver: ["POST"]
        case .watches: ["GET", "POST"]
        case .watch: ["GET", "DELETE"]
        default: ["GET"]
        }
    }

    /// The value of `Allow`.
    package var allow: String {
        (methods.contains("GET") ? ["GET", "HEAD"] + methods.filter { $0 != "GET" } : methods)
            .joined(separator: ", ")
    }

    /// The parameters that it takes with a method.
    package func parameters(_ method: String) -> [String] {
        switch self {
        case .watches where method != "GET": []
        case .watches:
            ["limit", "cursor", "name", "service", "state", "group", "active", "counts"]
        case .transitions: ["limit", "cursor"]
        case .events:
            ["limit", "cursor", "since", "after", "name", "service", "group", "type"]
        case .eventStream: ["since", "after", "name", "service", "group", "type"]
        case .deliveries: ["limit", "cursor", "state", "receiver", "name", "order"]
        case .redeliverAll: ["state", "receiver"]
        default: []
        }
    }

    /// The one of its parameters that may stand several times.
    package var repeatable: String? {
        switch self {
        case .watches, .events, .eventStream: "name"
        default: nil
        }
    }
}
