import ArgumentParser
import Glibc
import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchLinux

struct CheckVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validates a configuration offline, without a daemon.",
        discussion: """
            Prints every error and warning as FILE:LINE:COLUMN: message, and how much there is of \
            everything; the watch lists and secrets that the file names are read as well.

            --explain then prints every setting of the configuration, its services, receivers, watches \
            and discoveries, and where each comes from: FILE:LINE, or default. No secret is printed.

            --probe makes one live poll of each service, as the daemon would make it, and says what came \
            back. Nothing is recorded, and the daemon is not asked. A Krixik service without a watch is \
            not asked.

            A {credential: NAME} is systemd's to pass to the service: without $CREDENTIALS_DIRECTORY it \
            is warned of and taken for given, and --probe does not ask the service that needs it. To \
            have it read, run this by systemd-run --wait --pipe -p LoadCredential=NAME:/PATH/TO/FILE.

            Exits with 1 when there are errors, and when --probe got no usable answer from a service \
            that it was to ask; with 4 when no list has the watch of --watch.
            """)

    @Argument(help: "The configuration's main file.")
    var file = "/etc/runwatch/runwatch.yaml"

    @Flag(help: "Print every setting, and where it comes from.")
    var explain = false

    @Option(
        help: ArgumentHelp("With --explain: only this watch.", valueName: "service/id"),
        transform: WatchName.argument)
    var watch: WatchName?

    @Flag(help: "Ask each service once, and say what came back.")
    var probe = false

    // For `--json`; there is no daemon to be asked here.
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !file.isEmpty else {
            throw ValidationError("An empty path names no file; leave it out for the default.")
        }
        guard file != "-" else {
            throw ValidationError(
                "check reads a file, not the standard input: the paths in it begin at its folder.")
        }
        guard watch == nil || explain else { throw ValidationError("--watch goes with --explain.") }
    }

    func run() throws {
        let reading = ConfigurationReading(
            file, environment: Environment.all, notesPlaces: explain)
        var check = reading.check
        if explain { check.explanation = reading.explanation() }
        if let watch, check.isRight {
            check.explanation = check.explanation?.only(watch)
            guard check.explanation != nil else { throw noSuchWatch(watch) }
        }
        if global.json {
            if probe { check.probes = probes(reading) }
            check.writeJSON(ControlOutput.standard.write)
            _ = ControlOutput.standard.write([0x0A])
        } else {
            report(&check, reading)
        }
        throw ExitCode((check.isOK ? ExitStatus.done : .failed).rawValue)
    }

    /// Prints each part as soon as it is known: services can take their time.
    private func report(_ check: inout ConfigurationCheck, _ reading: ConfigurationReading) {
        func write(_ text: String) -> Bool { ControlOutput.standard.write(Array(text.utf8)) }
        let style = TextStyle(
            isTerminal: isatty(STDOUT_FILENO) == 1, environment: Environment.all)
        _ = write(ReportText.check(check))
        if let explanation = check.explanation, write("\n") {
            ExplanationText(style).write(explanation, write)
        }
        guard probe else { return }
        check.probes = probes(reading)
        guard let probes = check.probes else {
            _ = write("no service was asked\n")
            return
        }
        _ = write("\n" + ProbeText.lines(probes, style) + ProbeText.summary(probes))
    }

    private func probes(_ reading: ConfigurationReading) -> [ServiceProbe]? {
        let progress = ProbeProgress()
        defer { progress.end() }
        return reading.probes { progress.answered(of: $0) }
    }

    private func noSuchWatch(_ name: WatchName) -> ExitCode {
        ControlOutput.standard.warn(
            "no watch list has \(TerminalText.escape(name.description)); a run that was discovered has "
                + "the settings of its 'discover' entry, and one that was added those of its service"
        )
        return ExitCode(ExitStatus.notFound.rawValue)
    }
}
