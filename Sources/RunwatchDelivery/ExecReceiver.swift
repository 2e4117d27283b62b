import Dispatch
package import RunwatchCore
package import RunwatchLinux
package import RunwatchStore

/// Runs a program for each message: it finds the event on standard input and in its environment.
///
/// Delivered when the program ends with 0; any other end is tried again on the schedule. What it prints
/// is kept with the attempt.
package final class ExecReceiver: Receiver {
    /// What is passed on of the daemon's own environment: nothing there can be a secret.
    static let passedOn = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"]
    /// So much of what it prints is looked at, in bytes: half of it the first, half of it the last.
    ///
    /// Far more than is kept, so that no secret is cut in two, and a part of it kept.
    static let keptOutput = 64 << 10
    /// So much is kept.
    private static let excerpt = 800

    private let settings: ExecSettings
    private let timeout: Duration
    private let programs: ChildProcesses
    private let passedOn: [(name: String, value: String)]
    private let body = WebhookBody(WebhookSettings(url: Secret("")))

    /// - Parameter environment: The daemon's own.
    package init(
        _ settings: ExecSettings, timeout: Duration, programs: ChildProcesses,
        environment: (String) -> String? = Environment.value
    ) {
        self.settings = settings
        self.timeout = timeout
        self.programs = programs
        passedOn = ExecReceiver.passedOn.compactMap { name in
            environment(name).map { (name, $0) }
        }
    }

    package func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void
    ) {
        let program = ChildProgram(
            path: settings.command[0], arguments: Array(settings.command.dropFirst()),
            environment: environment(of: delivery), input: input(of: delivery), timeout: timeout,
            keptOutput: ExecReceiver.keptOutput)
        programs.run(program) { completion(self.judge($0)) }
    }

    /// The event's JSON on one line, or the digest's, as a webhook gets it.
    private func input(of delivery: PendingDelivery) -> [UInt8] {
        guard delivery.isDigest else { return EventLine.json(delivery.event) }
        let content = try? body.content(of: delivery, contentType: nil, value: .object([]))
        // Only a template can fail, and there is none.
        return (content?.bytes ?? []) + [0x0A]
    }

    private func environment(of delivery: PendingDelivery) -> [(name: String, value: String)] {
        let secrets = settings.environment.map { (name: $0.name, value: $0.value.reveal()) }
        let own = Set(secrets.map(\.name))
        return passedOn.filter { !own.contains($0.name) } + secrets
            + ExecEnvironment.variables(of: delivery)
    }

    // MARK: Judging

    private func judge(_ ending: ChildEnding) -> AttemptResult {
        switch ending.how {
        case .exited(0): return result(.delivered, 0, "ended with 0", ending)
        case .exited(let code):
            return result(.later(hint: nil), Int(code), "ended with \(code)", ending)
        case .signalled(let signal):
            return result(.later(hint: nil), nil, "ended by signal \(signal)", ending)
        case .timedOut:
            let limit = DurationText.format(timeout)
            return result(.later(hint: nil), nil, "was ended after \(limit)", ending)
        case .notStarted(let error):
            return AttemptResult(
                .later(hint: nil),
                message: "\(settings.command[0]) does not start: \(error)")
        case .cancelled: return AttemptResult(.abandoned)
        }
    }

    private func result(
        _ outcome: DeliveryMachine.Outcome, _ code: Int?, _ words: String, _ ending: ChildEnding
    ) -> AttemptResult {
        var message = "the program \(words)"
        let output = printable(ending.output)
        if !output.isEmpty { message += ": \(output)" }
        return AttemptResult(
            outcome, status: code,
            message: PrintableText.truncated(message, to: AttemptResult.longestMessage))
    }

    private func printable(_ output: [UInt8]) -> String {
        var text = String(decoding: output, as: UTF8.self)
        for (_, secret) in settings.environment { text = secret.redacted(from: text) }
        let lines = text.split { $0.isNewline }.map { $0.trimmingSpaces }.filter { !$0.isEmpty }
        return ExecReceiver.shortened(PrintableText.escaped(lines.joined(separator: " | ")))
    }

    /// The beginning and the end: what a program says last is mostly why it failed.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > excerpt else { return text }
        let start = PrintableText.truncated(text, to: excerpt / 2)
        let end = PrintableText.truncated(
            String(text.suffix(excerpt / 2).reversed()), to: excerpt / 2)
        return start + String(end.reversed())
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first?.isWhitespace ?? false { text.removeFirst() }
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }
}
