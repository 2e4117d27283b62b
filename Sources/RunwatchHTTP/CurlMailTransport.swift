package import Dispatch
import RunwatchCore

/// Mail over libcurl: any number of mails, a bounded number of them under way, each on a thread of its own.
///
/// Bound to the serial queue it is given: everything is called there, and completions run there; the queue
/// never waits for a server. Mails beyond `maximumConnections` wait in order; their time begins when they
/// are started. Without a mail there is neither thread nor connection.
package final class CurlMailTransport: MailTransport {
    private typealias Completion = (Result<MailReply, MailFailure>) -> Void

    private struct Attempt {
        var stop: MailExchange.Stop
        var completion: Completion
    }

    private let queue: DispatchQueue
    private let options: HTTPConnectionOptions
    private let maximumConnections: Int
    /// First in, first out.
    private var waiting: [(mail: MailRequest, completion: Completion)] = []
    /// Under way, by the order of their start.
    private var attempts: [Int: Attempt] = [:]
    private var startCount = 0
    /// Serial queues with nothing to do; each of the others holds a thread.
    private var idle: [DispatchQueue] = []
    private var isClosed = false

    /// - Parameters:
    ///   - options: The certificates for TLS, as for HTTP, and a proxy; private addresses cannot be refused.
    ///   - maximumConnections: Mails under way at once; at least 1. Few servers like many.
    package init(
        queue: DispatchQueue, options: HTTPConnectionOptions = HTTPConnectionOptions(),
        maximumConnections: Int = 4
    ) {
        self.queue = queue
        self.options = options
        self.maximumConnections = max(1, maximumConnections)
    }

    package func send(
        _ mail: MailRequest, completion: @escaping (Result<MailReply, MailFailure>) -> Void
    ) {
        guard !isClosed else { return tellCancelled([completion]) }
        waiting.append((mail, completion))
        startWaiting()
    }

    /// Fails what is under way with `.cancelled`; a mail whose message was out already may still be
    /// accepted, within a second.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        let started = attempts.sorted { $0.key < $1.key }.map(\.value)
        let completions = started.map(\.completion) + waiting.map(\.completion)
        attempts = [:]
        waiting = []
        for attempt in started { attempt.stop.set() }
        tellCancelled(completions)
    }

    private func startWaiting() {
        while !isClosed, !waiting.isEmpty, attempts.count < maximumConnections {
            let (mail, completion) = waiting.removeFirst()
            start(mail, completion)
        }
    }

    private func start(_ mail: MailRequest, _ completion: @escaping Completion) {
        let stop = MailExchange.Stop()
        let number = startCount
        startCount += 1
        attempts[number] = Attempt(stop: stop, completion: completion)
        let lane = idle.popLast() ?? DispatchQueue(label: "runwatch.mail")
        // Safe, though the transport is not Sendable: it is touched on the queue it is bound to alone.
        nonisolated(unsafe) let transport = self
        lane.async { [options, queue] in
            let result = MailExchange.send(mail, options: options, stop: stop)
            queue.async { transport.ended(number, result, lane) }
        }
    }

    private func ended(
        _ number: Int, _ result: Result<MailReply, MailFailure>, _ lane: DispatchQueue
    ) {
        // Told already, when the transport was closed.
        guard let attempt = attempts.removeValue(forKey: number) else { return }
        idle.append(lane)
        attempt.completion(result)
        startWaiting()
    }

    private func tellCancelled(_ completions: [Completion]) {
        guard !completions.isEmpty else { return }
        // Later, for nothing is told from within a call.
        nonisolated(unsafe) let completions = completions
        queue.async {
            for completion in completions { completion(.failure(.cancelled)) }
        }
    }
}
