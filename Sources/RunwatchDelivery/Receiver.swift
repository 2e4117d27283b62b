import Dispatch
package import RunwatchCore
package import RunwatchStore

/// Where events go: makes one attempt at one delivery, and judges how it ended.
///
/// Bound to the deliverer's queue: calls are made there, and completions run there.
package protocol Receiver: AnyObject {
    /// Attempts a delivery; `completion` is called exactly once, never from within the call.
    /// - Parameter moment: Now on the wall clock, for receivers that stamp what they send.
    func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void)
}

/// How an attempt ended, for the machine and for people.
package struct AttemptResult: Equatable, Sendable {
    package var outcome: DeliveryMachine.Outcome
    /// The HTTP status, the mail server's code or the program's exit code; `nil` when there was none.
    package var status: Int?
    /// What came back or went wrong; at most `longestMessage` bytes, printable, no secrets.
    package var message: String

    /// Attempts are many, and this is for a glance.
    package static let longestMessage = 1000

    package init(_ outcome: DeliveryMachine.Outcome, status: Int? = nil, message: String = "") {
        self.outcome = outcome
        self.status = status
        self.message = message
    }

    /// Calls a completion on the queue where it was made.
    static func hand(
        _ result: AttemptResult, to completion: @escaping (AttemptResult) -> Void,
        on queue: DispatchQueue
    ) {
        // Made and called on the same queue, and only carried in between.
        nonisolated(unsafe) let completion = completion
        queue.async { completion(result) }
    }
}

/// A receiver as it stands, for people.
package struct ReceiverStatus: Equatable, Sendable {
    package var name: String
    /// The key that stands for it in the configuration: `stdout`, `webhook`, `slack`.
    package var kind: String
    /// How long an event waits for others of its digest; `nil` for a message each.
    package var digestWindow: Duration?
    /// It answered 410, and is left alone until the next reload.
    package var isDisabled: Bool
    /// The last attempt failed.
    package var isFailing: Bool
    /// Attempts under way.
    package var inFlight: Int
    /// What the last failed attempt said, since this process began; no secrets.
    package var lastError: String?
    package var lastErrorAt: Timestamp?
    package var lastSuccessAt: Timestamp?
    /// It asked to be left alone until then; `nil` once that is past.
    package var restsUntil: Timestamp?
    /// When something is attempted again, while it fails; `nil` when its deliveries' own schedules tell.
    package var nextTryAt: Timestamp?
    /// Attempts that may be under way at once.
    package var concurrency: Int
    package var meter: DeliveryMeter
}
