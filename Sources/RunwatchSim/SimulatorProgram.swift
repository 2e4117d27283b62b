import Dispatch
import Glibc
import RunwatchCore
import RunwatchLinux
import Synchronization

/// What `runwatch-sim` does with its arguments.
package enum SimulatorProgram {
    /// Serves until SIGTERM or SIGINT comes.
    ///
    /// - Returns: The exit code: 0; 64 for a file that cannot be used; 65 for a script with a fault; 69
    ///   when the port is taken.
    package static func run(port: UInt16, script: String?, readyFile: String?) async -> Int32 {
        let stop = StopSignal()
        var plan = SimulationScript()
        if let script {
            do throws(SimulatorError) {
                let bytes = try read(script)
                do throws(SimulationScriptError) {
                    plan = try SimulationScript(json: bytes)
                } catch {
                    complain("\(script): \(error)")
                    return 65
                }
            } catch {
                complain(error.description)
                return 64
            }
        }
        let simulator = Simulator(script: plan, port: port)
        do throws(SimulatorError) {
            let port = try await simulator.start()
            let line = "listening on http://127.0.0.1:\(port)\n"
            write(line, to: STDOUT_FILENO)
            if let readyFile { try writeFile(readyFile, line) }
        } catch {
            await simulator.stop()
            complain(error.description)
            return readyFile == nil ? 69 : 64
        }
        await stop.wait()
        await simulator.stop()
        return 0
    }

    private static func complain(_ text: String) {
        write("\(text)\n", to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func read(_ path: String) throws(SimulatorError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SimulatorError("\(path): \(SystemCallError(call: "open", errno: errno))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw SimulatorError("\(path): \(SystemCallError(call: "read", errno: errno))")
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= 256 << 20 else {
                throw SimulatorError("\(path): larger than 256 MiB")
            }
        }
    }

    /// Writes beside the file and renames, so that whoever waits for it finds it whole.
    private static func writeFile(_ path: String, _ text: String) throws(SimulatorError) {
        let new = "\(path).new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw SimulatorError("\(new): \(SystemCallError(call: "open", errno: errno))")
        }
        write(text, to: descriptor)
        close(descriptor)
        guard rename(new, path) == 0 else {
            throw SimulatorError("\(path): \(SystemCallError(call: "rename", errno: errno))")
        }
    }
}

/// Waits for a signal that asks to stop, from the moment it is made.
///
/// SIGHUP is one too: nothing is left to serve when the terminal has gone.
private final class StopSignal: Sendable {
    private let arrivals: AsyncStream<Void>
    /// Kept for as long as they are to be heard; touched by `init` and `deinit` alone.
    private let sources: Mutex<SignalSources>

    init() {
        let (arrivals, continuation) = AsyncStream<Void>.makeStream(
            bufferingPolicy: .bufferingNewest(1))
        self.arrivals = arrivals
        sources = Mutex(
            SignalSources(queue: DispatchQueue(label: "signals")) { _ in continuation.yield() })
    }

    func wait() async {
        for await _ in arrivals { return }
    }
}
