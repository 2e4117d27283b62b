import Dispatch
import Glibc
import RunwatchCore

/// One program that runs, from its start until nothing of it is left.
///
/// SIGTERM goes to its whole group when its time is over, SIGKILL after the grace, and SIGKILL to the rest of
/// the group when the program itself has ended. What has moved to a session of its own (setsid(2)) lives on,
/// without anyone at its output. Confined to its queue. It keeps itself until the process has been waited
/// for.
final class ChildProcess {
    /// SIGKILL ends what runs within milliseconds; what the kernel keeps waiting for a dead disk or server,
    /// and what may not be signalled (another user's), is not waited for longer than this.
    private static let deathAllowance = Duration.seconds(2)
    /// A timeout is no appointment: it may be this late, so that wake-ups fall together.
    private static let leeway = DispatchTimeInterval.milliseconds(5)

    private enum Phase {
        /// Until the timeout.
        case running
        /// SIGTERM was sent; until the grace is over.
        case terminating
        /// SIGKILL was sent; until the allowance is over.
        case killed
    }

    let pid: pid_t
    private let queue: DispatchQueue
    private let grace: Duration
    private let input: ChildInput
    private let output: ChildOutput
    private let timer: any DispatchSourceTimer
    private var watch: ChildWatch?
    private var phase = Phase.running
    /// How it ended if we are who ends it.
    private var verdict: ChildEnding.How?
    /// Nil once it is told.
    private var onEnd: ((ChildEnding) -> Void)?

    /// Starts the program.
    ///
    /// - Parameter onEnd: Called once, on the queue, and not before this has returned.
    init(
        _ program: ChildProgram, usesDescriptor: Bool, queue: DispatchQueue,
        onEnd: @escaping (ChildEnding) -> Void
    ) throws(SystemCallError) {
        let started = try ChildSpawn.start(program)
        pid = started.pid
        self.queue = queue
        grace = program.grace
        input = ChildInput(
            writer: started.input.writer, reader: started.input.reader, bytes: program.input,
            queue: queue)
        output = ChildOutput(descriptor: started.output, limit: program.keptOutput, queue: queue)
        timer = DispatchSource.makeTimerSource(queue: queue)
        self.onEnd = onEnd
        timer.setEventHandler { [weak self] in self?.due() }
        timer.activate()
        arm(program.timeout)
        watch = ChildWatch(pid: pid, usesDescriptor: usesDescriptor, queue: queue) {
            // Strong: nobody else may hold it any more when there is still a process to wait for.
            self.look()
        }
    }

    /// Kills it now; its end is told, as cancelled, in a later job of the queue.
    func cancel() {
        guard onEnd != nil, verdict != .cancelled else { return }
        verdict = .cancelled
        signal(SIGKILL)
        // Safe, though it is not Sendable: the block runs on the queue it is bound to.
        nonisolated(unsafe) let child = self
        queue.async { child.tell(.cancelled) }
    }

    // MARK: - Time

    private func due() {
        // Both may have come at once, and what has ended was in time.
        look()
        guard onEnd != nil, watch != nil else { return }
        switch phase {
        case .running:
            phase = .terminating
            verdict = verdict ?? .timedOut
            signal(SIGTERM)
            // One that is stopped could not obey.
            signal(SIGCONT)
            arm(grace)
        case .terminating:
            phase = .killed
            signal(SIGKILL)
            arm(ChildProcess.deathAllowance)
        case .killed:
            tell(.timedOut)
        }
    }

    private func arm(_ wait: Duration) {
        let nanoseconds = Int(clamping: max(0, wait.wholeNanoseconds))
        timer.schedule(
            deadline: .now() + .nanoseconds(nanoseconds), leeway: ChildProcess.leeway)
    }

    // MARK: - The end

    /// To the program and what it has started.
    private func signal(_ number: Int32) {
        // The number is the group's own for as long as the program has not been waited for. There is no
        // remedy for a failure: that of a setuid program, which takes signals from root alone.
        guard watch != nil else { return }
        kill(-pid, number)
    }

    private func look() {
        guard watch != nil, let end = waitFor(WNOWAIT) else { return }
        if case .notStarted = end {
            // Waited for by somebody else, and the number may be anybody's by now.
        } else {
            signal(SIGKILL)
            _ = waitFor(0)
        }
        watch?.close()
        watch = nil
        tell(verdict ?? end)
    }

    /// Asks the kernel for the program's end: waitid(2).
    ///
    /// - Returns: `nil` when it runs still.
    private func waitFor(_ options: Int32) -> ChildEnding.How? {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | options) == 0 else {
            return .notStarted(SystemCallError(call: "waitid for process \(pid)", errno: errno))
        }
        // What it leaves there when no child has ended.
        guard info._sifields._sigchld.si_pid != 0 else { return nil }
        let status = info._sifields._sigchld.si_status
        return info.si_code == CLD_EXITED ? .exited(status) : .signalled(status)
    }

    private func tell(_ how: ChildEnding.How) {
        guard let onEnd else { return }
        self.onEnd = nil
        timer.cancel()
        input.close()
        output.drain()
        output.close()
        onEnd(
            ChildEnding(how: how, output: output.kept.bytes, outputBytes: output.kept.total))
    }
}
