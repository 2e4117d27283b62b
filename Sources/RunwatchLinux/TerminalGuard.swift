import Glibc

/// Leaves a terminal whole, however a program that draws on it ends or is stopped; tells of new sizes.
///
/// For a program of one thread, once in its life: signals know no instances.
package enum TerminalGuard {
    /// What the handlers work on: plain values and memory that is never freed.
    fileprivate struct State {
        var descriptor: Int32
        var reader: Int32
        var writer: Int32
        var leaving: UnsafeMutableBufferPointer<UInt8>
        var entering: UnsafeMutableBufferPointer<UInt8>
        /// How the terminal was set before; `nil` when it was left as it is.
        var settings: termios?
    }

    // Written before the handlers are installed, and by the one thread that they interrupt.
    nonisolated(unsafe) fileprivate static var state: State?

    /// Takes the terminal over: writes `entering`, and from now on `leaving` before a signal ends or stops
    /// the program.
    ///
    /// Interrupted, the program ends with 128 and the signal's number.
    /// - Parameter hidesInput: What is typed is not shown; it stays for the shell.
    package static func enter(
        _ descriptor: Int32, entering: [UInt8], leaving: [UInt8], hidesInput: Bool
    ) {
        guard state == nil else { return }
        var ends: [Int32] = [-1, -1]
        // Without descriptors a new size shows at the next drawing.
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        state = State(
            descriptor: descriptor, reader: ends[0], writer: ends[1], leaving: kept(leaving),
            entering: kept(entering), settings: hidesInput ? settings(of: descriptor) : nil)
        for number in [SIGINT, SIGTERM, SIGQUIT, SIGHUP] { install(number, endProgram) }
        install(SIGTSTP, stopProgram)
        install(SIGWINCH, tell)
        takeTerminal()
    }

    /// Gives the terminal back, at the program's own end.
    package static func leave() {
        guard state != nil else { return }
        giveTerminal()
        for number in [SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, SIGWINCH] {
            signal(number, SIG_DFL)
        }
        if let state {
            close(state.reader)
            close(state.writer)
        }
        state = nil
    }

    /// Becomes readable when the size changed, or the program goes on after a stop; -1 for none.
    package static var news: Int32 { state?.reader ?? -1 }

    /// Reads what `news` told.
    /// - Returns: Whether there was anything, and whether the program had been stopped.
    package static func takeNews() -> (isAny: Bool, wasStopped: Bool) {
        guard let reader = state?.reader, reader >= 0 else { return (false, false) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(reader, &buffer, buffer.count)
        let numbers = buffer.prefix(max(0, count))
        return (!numbers.isEmpty, numbers.contains(UInt8(SIGCONT)))
    }

    private static func kept(_ bytes: [UInt8]) -> UnsafeMutableBufferPointer<UInt8> {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = memory.initialize(from: bytes)
        return memory
    }

    private static func settings(of descriptor: Int32) -> termios? {
        var settings = termios()
        return tcgetattr(descriptor, &settings) == 0 ? settings : nil
    }

    private static func install(
        _ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void
    ) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        action.sa_flags = Int32(SA_RESTART)
        sigaction(number, &action, nil)
    }
}

// MARK: - In signal handlers: only what signal-safety(7) allows

private func write(_ bytes: UnsafeMutableBufferPointer<UInt8>, to descriptor: Int32) {
    // A terminal that takes nothing now has lost nothing but its look.
    _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
}

/// Who sets a terminal from the background is stopped for it (tcsetattr(3)).
private func isForeground(_ descriptor: Int32) -> Bool { tcgetpgrp(descriptor) == getpgrp() }

private func takeTerminal() {
    guard let state = TerminalGuard.state else { return }
    if var settings = state.settings, isForeground(state.descriptor) {
        settings.c_lflag &= ~tcflag_t(ECHO | ECHONL)
        tcsetattr(state.descriptor, TCSANOW, &settings)
    }
    write(state.entering, to: state.descriptor)
}

private func giveTerminal() {
    guard let state = TerminalGuard.state else { return }
    write(state.leaving, to: state.descriptor)
    if var settings = state.settings, isForeground(state.descriptor) {
        tcsetattr(state.descriptor, TCSANOW, &settings)
    }
}

private let endProgram: @convention(c) (Int32) -> Void = { number in
    giveTerminal()
    _exit(128 + number)
}

private let stopProgram: @convention(c) (Int32) -> Void = { _ in
    let before = errno
    giveTerminal()
    kill(getpid(), SIGSTOP)
    // Here the program goes on.
    takeTerminal()
    errno = before
    tell(SIGCONT)
}

private let tell: @convention(c) (Int32) -> Void = { number in
    guard let writer = TerminalGuard.state?.writer else { return }
    let before = errno
    var byte = UInt8(truncatingIfNeeded: number)
    // A full pipe means that the same news is on its way already.
    _ = Glibc.write(writer, &byte, 1)
    errno = before
}
