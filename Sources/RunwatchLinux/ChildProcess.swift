import Glibc
import RunwatchCore
import Synchronization

/// One program that runs, from its start until nothing of it is left.
///
/// SIGTERM goes to its whole group when its time is over, SIGKILL after the grace, and SIGKILL to the rest of
/// the group when the program itself has ended. What has moved to a session of its own (setsid(2)) lives on,
/// without anyone at its output.
///
/// `run` takes a thread for all that time. Dispatch could watch the pipes instead, but the one of Swift 6.3
/// has crashed on sources of pipes whose other end goes, and to start a program takes as long as the disk that
/// it is on: too long for a queue that others wait for.
final class ChildProcess: Sendable {
    /// SIGKILL ends what runs within milliseconds; what the kernel keeps waiting for a dead disk or server,
    /// and what may not be signalled (another user's), is not waited for longer than this.
    private static let deathAllowance = Duration.seconds(2)

    private struct State {
        /// `nil` before the start, and once it has been waited for: the number may be anybody's then.
        var pid: pid_t?
        var isCancelled = false
    }

    private enum Phase {
        /// Until the timeout.
        case running
        /// SIGTERM was sent; until the grace is over.
        case terminating
        /// SIGKILL was sent; until the allowance is over.
        case killed
        /// Its end was told without it; until it can be waited for, if ever.
        case givenUp
    }

    private let program: ChildProgram
    private let usesDescriptor: Bool
    private let state = Mutex(State())

    init(_ program: ChildProgram, usesDescriptor: Bool) {
        self.program = program
        self.usesDescriptor = usesDescriptor
    }

    /// Kills it now, or as soon as it has started; from any thread.
    ///
    /// Its end need not be waited for.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            if let pid = state.pid { kill(-pid, SIGKILL) }
        }
    }

    /// Starts the program, and returns when it has been waited for.
    ///
    /// - Parameter tell: Called once, before this returns: how it ended, or that it does not end.
    func run(_ tell: (ChildEnding) -> Void) {
        let started: ChildSpawn.Started
        do throws(SystemCallError) {
            started = try ChildSpawn.start(program)
        } catch {
            return tell(ChildEnding(how: .notStarted(error)))
        }
        state.withLock { state in
            state.pid = started.pid
            // Before the start there was nothing to kill.
            if state.isCancelled { kill(-started.pid, SIGKILL) }
        }
        var pipes = ChildPipes(started, program)
        var watch = ChildWatch(pid: started.pid, usesDescriptor: usesDescriptor)
        defer { watch.close() }
        follow(started.pid, &pipes, &watch, tell)
    }

    // MARK: - The way to the end

    private func follow(
        _ pid: pid_t, _ pipes: inout ChildPipes, _ watch: inout ChildWatch,
        _ tell: (ChildEnding) -> Void
    ) {
        let clock = ContinuousClock()
        var phase = Phase.running
        var deadline = clock.now.advanced(by: program.timeout)
        while true {
            if let end = look(pid) {
                if phase != .givenUp { tell(pipes.end(ended(end, phase))) }
                return
            }
            watch.looked()
            let now = clock.now
            if now >= deadline {
                (phase, deadline) = next(phase, now, &pipes, tell)
            }
            let wait = min(now.duration(to: deadline), watch.longestWait(at: now))
            pipes.wait(for: watch.descriptor, atMost: max(.zero, wait), now)
        }
    }

    /// What follows when a phase's time is over, and until when.
    private func next(
        _ phase: Phase, _ now: ContinuousClock.Instant, _ pipes: inout ChildPipes,
        _ tell: (ChildEnding) -> Void
    ) -> (Phase, ContinuousClock.Instant) {
        switch phase {
        case .running:
            signal(SIGTERM)
            // One that is stopped could not obey.
            signal(SIGCONT)
            return (.terminating, now.advanced(by: program.grace))
        case .terminating:
            signal(SIGKILL)
            return (.killed, now.advanced(by: ChildProcess.deathAllowance))
        case .killed:
            tell(pipes.end(.timedOut))
            return (.givenUp, now.advanced(by: .seconds(86_400)))
        case .givenUp:
            return (.givenUp, now.advanced(by: .seconds(86_400)))
        }
    }

    private func ended(_ end: ChildEnding.How, _ phase: Phase) -> ChildEnding.How {
        if state.withLock({ $0.isCancelled }) { return .cancelled }
        // Whatever its exit code, it was us; unless nobody can know how it ended.
        if case .notStarted = end { return end }
        return phase == .running ? end : .timedOut
    }

    // MARK: - The kernel

    /// To the program and what it has started.
    private func signal(_ number: Int32) {
        // There is no remedy for a failure: that of a setuid program, which takes signals from root alone.
        state.withLock { state in
            if let pid = state.pid { kill(-pid, number) }
        }
    }

    /// How it ended, once it has: then the rest of its group is killed, and it has been waited for.
    private func look(_ pid: pid_t) -> ChildEnding.How? {
        guard let end = waitFor(pid, WNOWAIT) else { return nil }
        state.withLock { state in
            // Else waited for by somebody else, and the number may be anybody's by now.
            if case .notStarted = end {
            } else {
                // The group's number is its own for as long as the program has not been waited for.
                kill(-pid, SIGKILL)
                _ = waitFor(pid, 0)
            }
            state.pid = nil
        }
        return end
    }

    /// Asks the kernel for the program's end: waitid(2).
    ///
    /// - Returns: `nil` when it runs still.
    private func waitFor(_ pid: pid_t, _ options: Int32) -> ChildEnding.How? {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | options) == 0 else {
            return .notStarted(SystemCallError(call: "waitid for process \(pid)", errno: errno))
        }
        // What it leaves there when no child has ended.
        guard info._sifields._sigchld.si_pid != 0 else { return nil }
        let status = info._sifields._sigchld.si_status
        return info.si_code == CLD_EXITED ? .exited(status) : .signalled(status)
    }
}
