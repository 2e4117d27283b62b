import RunwatchCore
import RunwatchDelivery

extension DaemonMetrics {
    static func receivers(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        let receivers = snapshot.receivers
        return [
            each(
                receivers,
                MetricFamily(
                    "runwatch_receiver_up", .gauge, labels: ["receiver"],
                    help: "0 while the last attempt failed or the receiver is disabled, else 1.")
            ) { $0.add([$1.name], $1.isFailing || $1.isDisabled ? 0 : 1) },
            each(
                receivers,
                MetricFamily(
                    "runwatch_delivery_attempts", .counter, labels: ["receiver", "outcome"],
                    help: "Attempts that have ended; one brings a whole digest.")
            ) { family, receiver in
                for outcome in DeliveryMeter.Attempt.allCases {
                    family.add([receiver.name, outcome.name], receiver.meter.count(outcome))
                }
            },
            each(
                receivers,
                MetricFamily(
                    "runwatch_delivery_attempt_duration_seconds", .histogram, unit: "seconds",
                    labels: ["receiver"], help: "How long attempts took, whatever came of them.")
            ) { $0.add([$1.name], $1.meter.durations) },
            each(
                receivers,
                MetricFamily(
                    "runwatch_delivery_attempts_in_flight", .gauge, labels: ["receiver"],
                    help: "Attempts under way.")
            ) { $0.add([$1.name], $1.inFlight) },
            each(
                receivers,
                MetricFamily(
                    "runwatch_delivery_attempts_in_flight_limit", .gauge, labels: ["receiver"],
                    help: "Attempts that may be under way at once: the receiver's concurrency.")
            ) { $0.add([$1.name], $1.concurrency) },
        ]
    }

    static func deliveries(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        let owed = backlog(snapshot)
        return [
            each(
                snapshot.receivers,
                MetricFamily(
                    "runwatch_deliveries", .counter, labels: ["receiver", "outcome"],
                    help: "Deliveries that are over; each event of a digest counts.")
            ) { family, receiver in
                family.add([receiver.name, "delivered"], receiver.meter.delivered)
                family.add([receiver.name, "failed"], receiver.meter.failed)
            },
            each(
                owed,
                MetricFamily(
                    "runwatch_deliveries_pending", .gauge, labels: ["receiver"],
                    help: "Deliveries not made yet.")
            ) { $0.add([$1.receiver], $1.pending) },
            each(
                owed,
                MetricFamily(
                    "runwatch_deliveries_failed", .gauge, labels: ["receiver"],
                    help: "Deliveries that were given up and are still kept.")
            ) { $0.add([$1.receiver], $1.failed) },
            each(
                owed,
                MetricFamily(
                    "runwatch_oldest_pending_delivery_age_seconds", .gauge, unit: "seconds",
                    labels: ["receiver"],
                    help: "The age of the oldest delivery not made yet; 0 without one.")
            ) { family, row in
                let age = row.oldestPending.map { $0.duration(to: snapshot.now).inSeconds }
                family.add([row.receiver], max(0, age ?? 0))
            },
        ]
    }

    /// What each receiver is owed, those that are owed nothing among them; none when it is not known.
    private static func backlog(_ snapshot: MetricsSnapshot) -> [MetricsSnapshot.ReceiverBacklog] {
        guard let backlog = snapshot.backlog else { return [] }
        let owed = Set(backlog.map(\.receiver))
        let others = snapshot.receivers.filter { !owed.contains($0.name) }.map {
            (receiver: $0.name, pending: 0, failed: 0, oldestPending: nil as Timestamp?)
        }
        return (backlog + others).sorted { $0.receiver < $1.receiver }
    }
}
