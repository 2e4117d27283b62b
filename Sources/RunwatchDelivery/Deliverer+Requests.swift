import Dispatch
import Logging
package import RunwatchCore
package import RunwatchStore

/// How a test of a receiver went.
package struct ReceiverTest: Sendable, Equatable {
    /// The `webhook-id` that it was sent under.
    package var id: String
    /// When the attempt began.
    package var at: Timestamp
    package var duration: Duration
    package var result: AttemptResult
}

// What people ask for, past the receiver's own rhythm.
extension Deliverer {
    /// Whether there is such a receiver, as configured now.
    package func hasReceiver(_ name: String) -> Bool {
        pipelines[name].map { !$0.isRemoved } ?? false
    }

    /// Attempts a redelivered message before all others, also at a receiver that fails or answered 410.
    ///
    /// One that stands behind another of its run waits for its turn.
    package func hurry(_ redelivery: Redelivery) async {
        guard let pipeline = pipelines[redelivery.receiver], !isDraining,
            // What is under way is tried again when it ends.
            pipeline.window.flights[redelivery.message] == nil
        else { return }
        pipeline.hurry.began()
        var found: PendingDelivery?
        do throws(StoreError) {
            found = try await store.pendingDelivery(
                redelivery.message, of: redelivery.receiver, digest: pipeline.settings.digest)
        } catch {
            // Not lost: it is pending, and found by the next search.
            logger.error(
                "the outbox cannot be read: \(error)",
                metadata: ["receiver": "\(redelivery.receiver)"])
        }
        let isOver = pipeline.hurry.fetched(found?.id)
        guard let found, !isOver, !pipeline.isRemoved, !isDraining else { return }
        pipeline.window.addUrgent(found, at: time.now())
        pump(pipeline)
    }

    /// Tries a receiver again now, since someone thinks that it takes deliveries again.
    package func encourage(_ name: String) {
        guard let pipeline = pipelines[name] else { return }
        pipeline.machine.encouraged(at: time.now())
        pipeline.look.isWanted = true
        pump(pipeline)
    }

    /// Sends a `receiver.test` event, once, and says what came back; nothing of it is kept.
    ///
    /// Past the outbox and its limits: whoever tests a receiver wants to know how it is now.
    /// - Returns: `nil` when there is no such receiver.
    package func test(_ name: String) async -> ReceiverTest? {
        guard let pipeline = pipelines[name], !pipeline.isRemoved, !isDraining else { return nil }
        let start = time.now()
        let moment = time.wallClock()
        let event = Event(type: .receiverTest, timestamp: moment, data: .test(receiver: name))
        let recorded = RecordedEvent(
            number: 0, type: event.type, timestamp: moment, subject: name, json: event.json)
        var random = SystemRandomNumberGenerator()
        let id = DeliveryID.make(at: moment, using: &random)
        let delivery =
            pipeline.settings.digest == nil
            ? PendingDelivery(id: id, receiver: name, event: recorded, attempts: 0)
            : PendingDelivery(
                id: id, receiver: name, digest: [.init(delivery: id, event: recorded)], attempts: 0)
        transports.began(id)
        let result = await withCheckedContinuation { continuation in
            let answer = OneAnswer(continuation)
            pipeline.receiver.attempt(delivery, at: moment) { answer.give($0) }
            // Standard output has no limit of its own: a reader may stop reading for as long as it likes.
            let limit = pipeline.settings.timeout + .seconds(5)
            queue.asyncAfter(deadline: .now() + .nanoseconds(Int(limit.wholeNanoseconds))) {
                answer.give(
                    AttemptResult(
                        .later(hint: nil),
                        message: "nothing came back in \(DurationText.format(limit))"))
            }
        }
        transports.ended(id)
        return ReceiverTest(
            id: id, at: moment, duration: start.duration(to: time.now()), result: result)
    }
}

/// Resumes a continuation with the first answer; bound to the deliverer's queue.
private final class OneAnswer: @unchecked Sendable {
    // Only ever touched on the deliverer's queue.
    private var continuation: CheckedContinuation<AttemptResult, Never>?

    init(_ continuation: CheckedContinuation<AttemptResult, Never>) {
        self.continuation = continuation
    }

    func give(_ result: AttemptResult) {
        continuation?.resume(returning: result)
        continuation = nil
    }
}
