import Logging
import RunwatchCore
import RunwatchStore

// What the log says of receivers: when one begins to fail and when it recovers, never each attempt.
extension Deliverer {
    /// The least time between two warnings of a kind about one receiver.
    private static let logPause = Duration.seconds(60)

    /// Tells of a change of the receiver's health, and keeps what people ask about.
    func tell(
        from before: DeliveryMachine.Health, _ pipeline: ReceiverPipeline, _ result: AttemptResult,
        at now: Instant
    ) {
        switch result.outcome {
        case .abandoned: return
        case .delivered: pipeline.report.lastSuccessAt = time.wallClock()
        case .later, .refusedForGood:
            pipeline.report.lastError = result.message
            pipeline.report.lastErrorAt = time.wallClock()
        }
        let after = pipeline.machine.health
        guard after != before else { return }
        let metadata: Logger.Metadata = ["receiver": "\(pipeline.name)"]
        switch after {
        case .disabled:
            logger.error(
                """
                receiver '\(pipeline.name)' answered 410: it gets nothing more until the next \
                reload
                """, metadata: metadata)
        case .failing:
            // One that fails and recovers by turns is told of once a minute at most.
            pipeline.report.isTold = isTime(since: pipeline.report.toldAt, at: now)
            guard pipeline.report.isTold else { return }
            pipeline.report.toldAt = now
            logger.warning(
                """
                receiver '\(pipeline.name)' does not take deliveries, trying again: \
                \(result.message)
                """, metadata: metadata)
        case .open:
            guard pipeline.report.isTold else { return }
            pipeline.report.isTold = false
            logger.notice(
                "receiver '\(pipeline.name)' takes deliveries again", metadata: metadata)
        }
    }

    /// Tells that a delivery was given up; of many at once, how many.
    func tellGivenUp(
        _ delivery: PendingDelivery, _ pipeline: ReceiverPipeline, _ result: AttemptResult,
        at now: Instant
    ) {
        guard isTime(since: pipeline.report.givenUpToldAt, at: now) else {
            pipeline.report.untold += 1
            return
        }
        let attempts = delivery.attempts + 1
        let others =
            pipeline.report.untold > 0 ? ", and \(pipeline.report.untold) others before it" : ""
        pipeline.report.givenUpToldAt = now
        pipeline.report.untold = 0
        logger.warning(
            """
            delivery \(delivery.id) of \(delivery.words.type) (\(delivery.words.name)) to \
            receiver '\(pipeline.name)' is given up after \(attempts) \
            attempt\(attempts == 1 ? "" : "s")\
            \(others): \(result.message)
            """, metadata: ["receiver": "\(pipeline.name)"])
    }

    private func isTime(since moment: Instant?, at now: Instant) -> Bool {
        moment.map { $0.duration(to: now) >= Deliverer.logPause } ?? true
    }
}
