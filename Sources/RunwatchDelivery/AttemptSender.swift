import Dispatch
import RunwatchCore
import RunwatchHTTP

/// Sends one receiver's attempts as HTTP requests, and judges what comes back; bound to the deliverer's
/// queue.
struct AttemptSender {
    /// So much of an answer is read, in bytes; nothing in it matters but its first words.
    static let maximumAnswer = 64 << 10

    private let url: Secret
    private let timeout: Duration
    private let time: any TimeSource
    private let transport: any HTTPTransport
    private let queue: DispatchQueue
    private let answers: AnswerText

    /// - Parameter secrets: What is sent besides the URL, and must not be shown in a message.
    init(
        to url: Secret, hiding secrets: [Secret], timeout: Duration, time: any TimeSource,
        transport: any HTTPTransport, queue: DispatchQueue
    ) {
        self.url = url
        self.timeout = timeout
        self.time = time
        self.transport = transport
        self.queue = queue
        answers = AnswerText(hiding: url, secrets)
    }

    /// Posts a body.
    /// - Parameter wait: The wait that an answer asks for in its body, for services that do.
    func send(
        _ body: [UInt8], headers: [(name: String, value: String)],
        wait: @escaping (HTTPResponse) -> Duration? = { _ in nil },
        completion: @escaping (AttemptResult) -> Void
    ) {
        let request = HTTPRequest(
            method: .post, url: url.reveal(), headers: headers, body: body, timeout: timeout,
            maximumAnswer: AttemptSender.maximumAnswer, cutsLargeAnswer: true)
        transport.send(request) { result in
            switch result {
            case .success(let response): completion(judge(response, wait(response)))
            case .failure(let failure): completion(judge(failure))
            }
        }
    }

    /// Ends an attempt for which nothing can be sent.
    func fail(_ message: String, completion: @escaping (AttemptResult) -> Void) {
        AttemptResult.hand(
            AttemptResult(.later(hint: nil), message: message), to: completion, on: queue)
    }

    private func judge(_ response: HTTPResponse, _ wait: Duration?) -> AttemptResult {
        let hint = response.retryAfter?.wait(
            from: time.wallClock(), limit: DeliveryMachine.longestHint)
        let wait = wait.map { min(max(.zero, $0), DeliveryMachine.longestHint) }
        // The longer one: to come too early would be refused again.
        let longer = [hint, wait].compactMap(\.self).max()
        return AttemptResult(
            AttemptSender.outcome(response.status, hint: longer), status: response.status,
            message: answers.of(response))
    }

    private func judge(_ failure: HTTPFailure) -> AttemptResult {
        guard failure.code != .cancelled else { return AttemptResult(.abandoned) }
        let message = answers.of(failure)
        guard let status = failure.status else {
            return AttemptResult(.later(hint: nil), message: message)
        }
        // The status has come, and it alone decides; whatever became of the text after it.
        return AttemptResult(
            AttemptSender.outcome(status, hint: nil), status: status, message: message)
    }

    private static func outcome(_ status: Int, hint: Duration?) -> DeliveryMachine.Outcome {
        switch status {
        case 200..<300: .delivered
        case 410: .refusedForGood
        default: .later(hint: hint)
        }
    }
}
