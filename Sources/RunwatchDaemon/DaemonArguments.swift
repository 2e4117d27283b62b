import RunwatchCore

/// What the daemon's command line asks for.
///
/// Read here and not by a library: three options do not weigh up the four megabytes of Foundation
/// that an argument parser brings into a program that stays in memory for years.
package enum DaemonArguments: Sendable, Equatable {
    case run(Options)
    case help
    case version

    /// Where things are; `nil` leaves it to the environment.
    package struct Options: Sendable, Equatable {
        package var configuration = "/etc/runwatch/runwatch.yaml"
        package var stateDirectory: String?
        package var socket: String?

        package init() {}
    }

    /// Reads the arguments, the program's own name not among them.
    ///
    /// Long options take their value as `--config FILE` or `--config=FILE`, short ones as `-c FILE`
    /// or `-cFILE`. Of an option that stands twice the last one counts. A value that follows as an
    /// argument of its own must not begin with a hyphen, so that a forgotten value is noticed.
    package init(_ arguments: some Sequence<String>) throws(DaemonUsageError) {
        var options = Options()
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                guard let operand = rest.first else { break }
                throw DaemonUsageError("unexpected argument '\(operand)'")
            }
            let word = try Word(argument)
            switch word.name {
            case "--config", "-c": options.configuration = try word.value(or: &rest, "FILE")
            case "--state-dir": options.stateDirectory = try word.value(or: &rest, "DIR")
            case "--socket": options.socket = try word.value(or: &rest, "PATH")
            case "--help", "-h":
                try word.takesNone()
                self = .help
                return
            case "--version":
                try word.takesNone()
                self = .version
                return
            default: throw word.unknown
            }
        }
        self = .run(options)
    }

    private static let names = ["--config", "--state-dir", "--socket", "--help", "--version"]

    /// One argument: an option's name, and its value if that hangs on to it.
    private struct Word {
        var name: String
        var attached: String?

        init(_ argument: String) throws(DaemonUsageError) {
            guard argument.hasPrefix("-"), argument != "-" else {
                throw DaemonUsageError("unexpected argument '\(argument)'")
            }
            if argument.hasPrefix("--") {
                let parts = argument.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                name = String(parts[0])
                attached = parts.count > 1 ? String(parts[1]) : nil
            } else {
                name = String(argument.prefix(2))
                let value = argument.dropFirst(2)
                attached =
                    value.isEmpty ? nil : String(value.first == "=" ? value.dropFirst() : value)
            }
        }

        func value(
            or rest: inout ArraySlice<String>, _ placeholder: String
        ) throws(DaemonUsageError) -> String {
            if attached == nil, let next = rest.first, !next.hasPrefix("-") {
                rest.removeFirst()
                return try checked(next, placeholder)
            }
            return try checked(attached ?? "", placeholder)
        }

        private func checked(
            _ value: String, _ placeholder: String
        ) throws(DaemonUsageError) -> String {
            guard !value.isEmpty else {
                throw DaemonUsageError("'\(name)' needs a value: \(name) \(placeholder)")
            }
            return value
        }

        func takesNone() throws(DaemonUsageError) {
            guard attached == nil else { throw DaemonUsageError("'\(name)' takes no value") }
        }

        var unknown: DaemonUsageError {
            let near = NearestName.find(name, among: DaemonArguments.names)
            return DaemonUsageError(
                "unknown option '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
    }
}

/// A command line that cannot be understood; the message says why.
package struct DaemonUsageError: Error, Equatable, CustomStringConvertible {
    package var message: String

    init(_ message: String) { self.message = message }

    package var description: String { message }
}
