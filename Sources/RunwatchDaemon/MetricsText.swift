import RunwatchControl
import RunwatchCore
import RunwatchPolling
import RunwatchStore

/// What a receiver is owed.
typealias ReceiverBacklog = (
    receiver: String, pending: Int, failed: Int, oldestPending: Timestamp?
)

/// How many listed watches of a service are in a state.
typealias WatchCount = (service: String, state: RunState, count: Int)

/// The daemon's figures in OpenMetrics' text form.
struct MetricsText {
    private var text = ""

    init(
        startedAt: Timestamp, now: Timestamp, services: [ServiceStatus],
        states: [(service: String, state: RunState, count: Int)],
        backlog: [ReceiverBacklog], changes: Int
    ) {
        family("runwatch_build", "info", "The version that is running.")
        sample("runwatch_build_info", [("version", RunwatchVersion.text)], 1)
        family("runwatch_start_time_seconds", "gauge", "When the daemon started.")
        sample("runwatch_start_time_seconds", [], Double(startedAt.milliseconds) / 1000)
        family("runwatch_watches", "gauge", "Watches by service and state.")
        for row in states {
            sample(
                "runwatch_watches", [("service", row.service), ("state", row.state.name)],
                Double(row.count))
        }
        polls(services)
        lateness(services)
        family("runwatch_store_backlog", "gauge", "Changes on their way to the disk.")
        sample("runwatch_store_backlog", [], Double(changes))
        deliveries(backlog, now: now)
        text += "# EOF\n"
    }

    var bytes: [UInt8] { Array(text.utf8) }

    private mutating func polls(_ services: [ServiceStatus]) {
        family("runwatch_service_up", "gauge", "Whether the last answer was good.")
        for service in services {
            sample(
                "runwatch_service_up", [("service", service.name)], service.health == .up ? 1 : 0)
        }
        family("runwatch_polls", "counter", "Requests made, by what came of them.")
        for service in services {
            let labels = [("service", service.name)]
            sample(
                "runwatch_polls_total", labels + [("outcome", "answered")],
                Double(service.polls.answered))
            sample(
                "runwatch_polls_total", labels + [("outcome", "refused_watch")],
                Double(service.polls.refused))
            for reason in PollFailureReason.allCases {
                guard let count = service.polls.failed[reason] else { continue }
                sample(
                    "runwatch_polls_total", labels + [("outcome", reason.rawValue)],
                    Double(count))
            }
        }
        family("runwatch_common_polls", "counter", "Requests that asked about many runs at once.")
        for service in services {
            sample(
                "runwatch_common_polls_total", [("service", service.name)],
                Double(service.polls.common))
        }
        family("runwatch_polls_ready", "gauge", "Watches that are due and wait for the budget.")
        for service in services {
            sample("runwatch_polls_ready", [("service", service.name)], Double(service.ready))
        }
        family("runwatch_polls_in_flight", "gauge", "Requests under way.")
        for service in services {
            sample(
                "runwatch_polls_in_flight", [("service", service.name)], Double(service.inFlight))
        }
    }

    private mutating func lateness(_ services: [ServiceStatus]) {
        family(
            "runwatch_poll_lateness_seconds", "histogram", "How late polls were made: made - due.")
        for service in services {
            let labels = [("service", service.name)]
            var sum = 0
            for (bound, count) in zip(LatenessMeter.bounds, service.lateness.counts) {
                sum += count
                sample(
                    "runwatch_poll_lateness_seconds_bucket", labels + [("le", "\(bound)")],
                    Double(sum))
            }
            let count = Double(service.lateness.count)
            sample("runwatch_poll_lateness_seconds_bucket", labels + [("le", "+Inf")], count)
            sample("runwatch_poll_lateness_seconds_sum", labels, service.lateness.sum)
            sample("runwatch_poll_lateness_seconds_count", labels, count)
        }
    }

    private mutating func deliveries(_ backlog: [ReceiverBacklog], now: Timestamp) {
        family("runwatch_deliveries", "gauge", "Deliveries by receiver and state.")
        for row in backlog {
            let labels = [("receiver", row.receiver)]
            sample(
                "runwatch_deliveries", labels + [("state", "pending")], Double(row.pending))
            sample("runwatch_deliveries", labels + [("state", "failed")], Double(row.failed))
        }
        family(
            "runwatch_oldest_pending_delivery_seconds", "gauge",
            "The age of the oldest delivery that is not made.")
        for row in backlog {
            let age = row.oldestPending.map { max(.zero, $0.duration(to: now)).inSeconds } ?? 0
            sample(
                "runwatch_oldest_pending_delivery_seconds", [("receiver", row.receiver)], age)
        }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# TYPE \(name) \(type)\n# HELP \(name) \(help)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(MetricsText.escaped($0.1))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += value == value.rounded() && abs(value) < 1e15 ? " \(Int64(value))\n" : " \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        var output = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": output += "\\\\"
            case "\"": output += "\\\""
            case "\n": output += "\\n"
            default: output.unicodeScalars.append(character)
            }
        }
        return output
    }
}
