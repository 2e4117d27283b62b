import ArgumentParser
import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchLinux

struct CheckVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validates a configuration offline, without a daemon.",
        discussion: """
            Prints every error and warning as FILE:LINE:COLUMN: message; the watch lists and secrets \
            that the file names are read as well. Exits with 1 when there are errors.
            """)

    @Argument(help: "The configuration's main file.")
    var file = "/etc/runwatch/runwatch.yaml"

    // For `--json`; there is no daemon to be asked here.
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let environment = Environment.all
        let check = ConfigurationReading.check(file, environment: environment)
        let text = global.json ? check.json + [0x0A] : Array(ReportText.check(check).utf8)
        _ = ControlOutput.standard.write(text)
        throw ExitCode((check.isOK ? ExitStatus.done : .failed).rawValue)
    }
}
