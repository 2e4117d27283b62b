import Dispatch
package import RunwatchCore
import RunwatchHTTP
import Synchronization

/// Asks services, all at the same time and each once, how they answer.
package struct ServiceProber {
    /// What has come so far, by the plan's index.
    private final class Answers: Sendable {
        private let probes = Mutex<[Int: ServiceProbe]>([:])

        func set(_ index: Int, _ probe: ServiceProbe) {
            probes.withLock { $0[index] = probe }
        }

        var inOrder: [ServiceProbe] {
            probes.withLock { probes in probes.sorted { $0.key < $1.key }.map(\.value) }
        }
    }

    /// Asks, and waits for what comes back: within the longest `timeout` of 64 services, or twice that
    /// where a service has to be asked again for a single run.
    ///
    /// Never from a task: the call holds the thread.
    /// - Parameters:
    ///   - credentials: What the service needs and this process was not given, by its name: such a
    ///     service is not asked.
    ///   - onAnswer: Called on another queue each time that a service that was asked is done.
    /// - Returns: One for each plan, in their order.
    package static func ask(
        _ plans: [ProbePlan], without credentials: [String: String] = [:],
        onAnswer: @escaping @Sendable () -> Void = {}
    ) -> [ServiceProbe] {
        let answers = Answers()
        var asked: [(index: Int, plan: ProbePlan, scope: PollScope)] = []
        for (index, plan) in plans.enumerated() {
            if let scope = plan.scope, credentials[plan.service.name] == nil {
                asked.append((index, plan, scope))
            } else {
                answers.set(index, unasked(plan, credentials[plan.service.name]))
            }
        }
        guard !asked.isEmpty else { return answers.inOrder }
        let queue = DispatchQueue(label: "runwatch.probe")
        let end = DispatchSemaphore(value: 0)
        queue.async { [asked] in
            let transport = CurlTransport(queue: queue)
            var left = asked.count
            for (index, plan, scope) in asked {
                send(plan, scope, transport) { probe in
                    answers.set(index, probe)
                    onAnswer()
                    left -= 1
                    guard left == 0 else { return }
                    transport.close()
                    end.signal()
                }
            }
        }
        end.wait()
        return answers.inOrder
    }

    private static func unasked(_ plan: ProbePlan, _ credential: String?) -> ServiceProbe {
        guard let credential, plan.scope != nil else {
            return plan.unasked(.notAsked, "no watch names this service")
        }
        return plan.unasked(
            .noCredential,
            "it needs the credential '\(credential)', which systemd passes to the service alone; run "
                + "this by systemd-run --wait --pipe -p LoadCredential=\(credential):/PATH/TO/FILE")
    }

    private static func send(
        _ plan: ProbePlan, _ scope: PollScope, _ transport: CurlTransport,
        _ done: @escaping (ServiceProbe) -> Void
    ) {
        let start = ContinuousClock.now
        transport.send(plan.request(for: scope), options: plan.service.connection) { result in
            let probe = plan.judge(result, of: scope, after: start.duration(to: .now))
            guard let next = plan.next(after: probe, of: scope) else { return done(probe) }
            send(plan, next, transport) { single in
                var single = single
                single.message += " (asked about one run, since about all: \(probe.message))"
                done(single)
            }
        }
    }
}
