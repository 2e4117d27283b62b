import Glibc
import Logging
import RunwatchControl
import RunwatchDaemon
import RunwatchLinux

/// `runwatchd`: reads its arguments, runs the daemon, gives its exit code.
@main enum RunwatchDaemonCommand {
    static func main() async {
        let arguments: DaemonArguments
        do {
            arguments = try DaemonArguments(CommandLine.arguments.dropFirst())
        } catch {
            say(DaemonHelp.complaint(error), on: STDERR_FILENO)
            exit(DaemonExit.usage.rawValue)
        }
        switch arguments {
        case .help: say(DaemonHelp.text, on: STDOUT_FILENO)
        case .version: say(RunwatchVersion.text + "\n", on: STDOUT_FILENO)
        case .run(let options): exit(await run(options).rawValue)
        }
    }

    private static func run(_ options: DaemonArguments.Options) async -> DaemonExit {
        let environment = DaemonEnvironment.current
        let sink = DaemonLogHandler.Sink()
        let logger = Logger(label: "runwatch") { DaemonLogHandler(label: $0, sink: sink) }
        let paths = DaemonPaths(
            environment: environment, stateDirectory: options.stateDirectory,
            socket: options.socket)
        let daemon = Daemon(
            options: DaemonOptions(
                configuration: options.configuration, paths: paths, environment: environment),
            logger: logger, logSink: sink)
        return await daemon.run()
    }

    private static func say(_ text: String, on descriptor: Int32) {
        // Who closes the pipe has read enough.
        _ = DescriptorWriter.write(Array(text.utf8), to: descriptor)
    }
}
