import ArgumentParser
import RunwatchSim

@main struct RunwatchSimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runwatch-sim",
        abstract: "Simulates Krixik and Kinetica services on a loopback port.",
        discussion: """
            Krixik's base URL is http://127.0.0.1:PORT/krixik, Kinetica's \
            http://127.0.0.1:PORT/kinetica. What the runs truly are is told at /sim/runs; more runs, \
            faults and webhooks are at /sim, too. The program ends on SIGTERM or SIGINT.
            """)

    @Option(help: "The port of 127.0.0.1 to listen on; 0 for any free one.")
    var port: UInt16 = 0

    @Option(help: "A JSON file with settings, runs and faults.")
    var script: String?

    @Option(help: "A file to write the address to once it is served.")
    var readyFile: String?

    func run() async throws {
        throw ExitCode(
            await SimulatorProgram.run(port: port, script: script, readyFile: readyFile))
    }
}
