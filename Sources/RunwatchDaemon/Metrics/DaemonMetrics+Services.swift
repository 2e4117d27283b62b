import RunwatchCore
import RunwatchPolling

extension DaemonMetrics {
    static func services(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        polls(snapshot.services) + budgets(snapshot.services) + health(snapshot.services)
    }

    private static func polls(_ services: [ServiceStatus]) -> [MetricFamily] {
        [
            each(
                services,
                MetricFamily(
                    "runwatch_polls", .counter, labels: ["service", "outcome"],
                    help: "Requests that have ended, by what came of them.")
            ) { family, service in
                for outcome in service.polls.outcomes {
                    family.add([service.name, outcome.name], outcome.count)
                }
            },
            each(
                services,
                MetricFamily(
                    "runwatch_common_polls", .counter, labels: ["service"],
                    help: "Requests that asked about many runs at once.")
            ) { $0.add([$1.name], $1.polls.common) },
            each(
                services,
                MetricFamily(
                    "runwatch_poll_duration_seconds", .histogram, unit: "seconds",
                    labels: ["service"],
                    help: "How long requests took, whatever came of them.")
            ) { $0.add([$1.name], $1.durations) },
            each(
                services,
                MetricFamily(
                    "runwatch_poll_lateness_seconds", .histogram, unit: "seconds",
                    labels: ["service"], help: "How late watches were polled: made minus due.")
            ) { $0.add([$1.name], $1.lateness.histogram) },
        ]
    }

    private static func budgets(_ services: [ServiceStatus]) -> [MetricFamily] {
        [
            each(
                services,
                MetricFamily(
                    "runwatch_polls_in_flight", .gauge, labels: ["service"],
                    help: "Requests under way.")
            ) { $0.add([$1.name], $1.inFlight) },
            each(
                services,
                MetricFamily(
                    "runwatch_polls_in_flight_limit", .gauge, labels: ["service"],
                    help: "Requests that may be under way at once: limits.concurrency.")
            ) { $0.add([$1.name], $1.limits.concurrency) },
            each(
                services,
                MetricFamily(
                    "runwatch_polls_per_second_limit", .gauge, labels: ["service"],
                    help: "Requests that may be begun in a second: limits.rate.")
            ) { family, service in
                if let rate = service.limits.rate { family.add([service.name], rate) }
            },
            each(
                services,
                MetricFamily(
                    "runwatch_polls_waiting", .gauge, labels: ["service"],
                    help: "Watches that are due and wait for the budget or the service's pause.")
            ) { $0.add([$1.name], $1.ready) },
        ]
    }

    private static func health(_ services: [ServiceStatus]) -> [MetricFamily] {
        [
            each(
                services,
                MetricFamily(
                    "runwatch_service_up", .gauge, labels: ["service"],
                    help: "1 while the service's health is up, else 0.")
            ) { $0.add([$1.name], $1.health == .up ? 1 : 0) },
            each(
                services,
                MetricFamily(
                    "runwatch_service_health", .gauge, labels: ["service", "health"],
                    help: "1 for the health that the service has, 0 for the others.")
            ) { family, service in
                for health in ServiceHealth.allCases {
                    family.add([service.name, health.rawValue], health == service.health ? 1 : 0)
                }
            },
            each(
                services,
                MetricFamily(
                    "runwatch_service_failures_in_a_row", .gauge, labels: ["service"],
                    help: "Failures since the last good answer.")
            ) { $0.add([$1.name], $1.failures) },
            each(
                services,
                MetricFamily(
                    "runwatch_service_pause_seconds", .gauge, unit: "seconds", labels: ["service"],
                    help: "How long the service is still left alone; 0 when it may be asked.")
            ) { $0.add([$1.name], $1.pause.inSeconds) },
            each(
                services,
                MetricFamily(
                    "runwatch_service_hints", .counter, labels: ["service"],
                    help: "Failures with a Retry-After, which pauses the service.")
            ) { $0.add([$1.name], $1.polls.hints) },
        ]
    }

    static func watches(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        [
            each(
                snapshot.states ?? [],
                MetricFamily(
                    "runwatch_watches", .gauge, labels: ["service", "state"],
                    help: "Listed watches, by the state of their runs.")
            ) { $0.add([$1.service, $1.state.name], $1.count) },
            each(
                snapshot.services,
                MetricFamily(
                    "runwatch_transitions", .counter, labels: ["service", "state"],
                    help: "Changes of state, by the state that was reached.")
            ) { family, service in
                for state in RunState.allCases where state != .unknown {
                    family.add(
                        [service.name, state.name],
                        service.polls.transitions[Int(state.rawValue)])
                }
            },
        ]
    }
}
