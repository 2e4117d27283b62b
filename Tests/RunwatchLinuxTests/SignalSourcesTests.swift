import Dispatch
import Glibc
import RunwatchLinux
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct SignalSourcesTests {
    @Test func `each signal is told and none ends the program`() async {
        // Signals are the whole process's, so the test has one of its own.
        await #expect(processExitsWith: .success) {
            let told = Mutex<[SignalSources.Signal]>([])
            let queue = DispatchQueue(label: "signal-test")
            let log: @Sendable (SignalSources.Signal) -> Void = { signal in
                told.withLock { $0.append(signal) }
            }
            let sources = SignalSources(queue: queue, handler: log)
            for (number, kind) in [
                (SIGHUP, SignalSources.Signal.hangup), (SIGTERM, .terminate), (SIGINT, .interrupt),
                (SIGHUP, .hangup),
            ] {
                let before = told.withLock { $0.count }
                kill(getpid(), number)
                #expect(await until { told.withLock { $0.count } > before })
                #expect(told.withLock { $0.last } == kind)
            }
            SignalSources.ignoreFatalWrites()
            kill(getpid(), SIGPIPE)
            kill(getpid(), SIGXFSZ)
            sources.close()
            kill(getpid(), SIGTERM)
            await withCheckedContinuation { done in queue.async { done.resume() } }
            #expect(told.withLock { $0.count } == 4)
        }
    }
}
