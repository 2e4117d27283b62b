import ArgumentParser
import Glibc
import RunwatchControl
import RunwatchLinux
import Synchronization

/// What every verb that speaks to the daemon takes.
struct GlobalOptions: ParsableArguments {
    @Flag(help: "Print what the API answers, as one JSON document.")
    var json = false

    @Option(help: ArgumentHelp("The daemon's control socket.", valueName: "path"))
    var socket: String?

    func validate() throws {
        guard socket != "" else {
            throw ValidationError("--socket is empty; give the socket's path, or leave it out.")
        }
    }

    /// Carries out a verb; what goes wrong is told on standard error.
    /// - Throws: The exit code, always.
    func run(_ verb: (ControlSession) throws(ControlFailure) -> ExitStatus) throws -> Never {
        let environment = Environment.all
        let output = WatchedOutput()
        let session = ControlSession(
            socket: SocketPath.resolve(
                option: socket, environment: environment, exists: { access($0, F_OK) == 0 }),
            output: output.output,
            style: TextStyle(isTerminal: isatty(STDOUT_FILENO) == 1, environment: environment),
            isJSON: json,
            screen: .at(
                STDOUT_FILENO, isTerminal: isatty(STDOUT_FILENO) == 1, environment: environment,
                hidesInput: true, write: output.output.write),
            progress: .at(
                STDERR_FILENO, isTerminal: isatty(STDERR_FILENO) == 1, environment: environment,
                hidesInput: false, write: ControlOutput.writer(to: STDERR_FILENO)))
        let exit: ExitStatus
        do throws(ControlFailure) {
            exit = try verb(session)
        } catch {
            // What the API answers is then its refusal; never behind the beginning of something else.
            if json, let problem = error.problem, !output.hasWritten {
                _ = ControlOutput.standard.write(problem.json + [0x0A])
            }
            ControlOutput.standard.warn(TerminalText.escape(error.message))
            exit = error.exit
        }
        throw ExitCode(exit.rawValue)
    }

    /// Moves the options that stand before the verb behind it, where the verbs' parsers look for them.
    ///
    /// `runwatchctl --json list` says the same as `runwatchctl list --json`.
    static func movedBehindVerb(_ arguments: [String]) -> [String] {
        var moved: [String] = []
        var rest = arguments[...]
        while let first = rest.first {
            if first == "--json" || first.hasPrefix("--socket=") {
                moved.append(first)
                rest = rest.dropFirst()
            } else if first == "--socket", rest.count > 1 {
                moved += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        guard let verb = rest.first, !moved.isEmpty else { return arguments }
        return [verb] + moved + rest.dropFirst()
    }
}

/// Standard output and standard error, and whether anything has gone to the first.
private final class WatchedOutput: Sendable {
    private let wasUsed = Mutex(false)

    var hasWritten: Bool { wasUsed.withLock(\.self) }

    var output: ControlOutput {
        ControlOutput(
            write: { bytes in
                self.wasUsed.withLock { $0 = true }
                return ControlOutput.standard.write(bytes)
            }, warn: ControlOutput.standard.warn)
    }
}

/// Ctrl-C while something is followed.
enum Interruption {
    /// Ends the program with the exit code that shells give to an interrupted one.
    ///
    /// Nothing is lost: every line is written whole, and the daemon notices that its reader left.
    static func endsProgram() {
        signal(SIGINT) { _ in _exit(ExitStatus.interrupted.rawValue) }
    }
}
