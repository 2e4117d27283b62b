package import RunwatchCore
import RunwatchHTTP

/// A place that webhooks are sent to: it keeps what came, and answers what it was told.
package struct SimulatedHooks: Sendable {
    /// One request that came.
    package struct Received: Sendable {
        /// Counted from 0 for each place, whatever was dropped since.
        package var index: Int
        package var at: Timestamp
        /// The header `webhook-id`; empty when there was none.
        package var webhookID: String
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// What was answered; 0 when nothing was.
        package var status: Int
    }

    /// One answer to give.
    package struct Answer: Hashable, Sendable {
        /// `nil` gives the fault instead.
        package var status: Int?
        package var retryAfter: Int64?
        /// `reset`, `close`, `hang` or `cut`: an answer that ends within its head.
        package var fault: SimulatedFault.Kind?
        /// The wait before it.
        package var wait = Duration.zero

        package init(status: Int?) {
            self.status = status
        }

        package static let accepted = Answer(status: 200)
    }

    /// Beyond these the oldest requests are dropped.
    package static let mostReceived = 100_000
    package static let mostBytes = 256 << 20

    package private(set) var total = 0
    private var kept: [Received] = []
    private var bytes = 0
    private var answers: [Answer] = []
    private var last = Answer.accepted

    package init() {}

    package var dropped: Int { total - kept.count }
    package var received: [Received] { kept }

    /// Sets the answers to give in turn, and the one to give from then on.
    package mutating func answer(with answers: [Answer], then last: Answer = .accepted) {
        self.answers = answers
        self.last = last
    }

    mutating func receive(_ request: HTTPServerRequest, at moment: Timestamp) -> Answer {
        let answer = answers.isEmpty ? last : answers.removeFirst()
        kept.append(
            Received(
                index: total, at: moment, webhookID: request.header("webhook-id") ?? "",
                headers: request.headers, body: request.body, status: answer.status ?? 0))
        total += 1
        bytes += request.body.count
        if kept.count > SimulatedHooks.mostReceived || bytes > SimulatedHooks.mostBytes {
            // In one go for many: removing from the front moves all the others.
            var count = max(1, kept.count / 10)
            if kept.count - count < 1 { count = kept.count - 1 }
            bytes -= kept.prefix(count).reduce(0) { $0 + $1.body.count }
            kept.removeFirst(count)
        }
        return answer
    }
}
