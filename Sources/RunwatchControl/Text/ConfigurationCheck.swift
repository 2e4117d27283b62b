package import RunwatchCore

/// What a look at a configuration found, without a daemon.
package struct ConfigurationCheck: Sendable, Equatable {
    /// Of each file the first hundred errors and warnings, and how many more there are.
    package var diagnostics: [Diagnostic]
    package var errorCount: Int
    package var warningCount: Int
    /// How many the configuration has; 0 when it has errors.
    package var services: Int
    package var receivers: Int
    package var watches: Int
    package var discoveries: Int
    /// `nil` unless it was asked for and the configuration is right.
    package var explanation: Explanation?
    /// One a service; `nil` unless it was asked for and the configuration is right.
    package var probes: [ServiceProbe]?

    /// - Parameters:
    ///   - errorCount: Those that `diagnostics` holds, unless there are more.
    ///   - warningCount: The same of warnings.
    package init(
        diagnostics: [Diagnostic], errorCount: Int? = nil, warningCount: Int? = nil, services: Int,
        receivers: Int, watches: Int, discoveries: Int = 0, explanation: Explanation? = nil,
        probes: [ServiceProbe]? = nil
    ) {
        self.diagnostics = diagnostics
        let errors = diagnostics.count { $0.severity == .error }
        self.errorCount = errorCount ?? errors
        self.warningCount = warningCount ?? diagnostics.count - errors
        self.services = services
        self.receivers = receivers
        self.watches = watches
        self.discoveries = discoveries
        self.explanation = explanation
        self.probes = probes
    }

    /// Whether the configuration has no errors.
    package var isRight: Bool { errorCount == 0 }

    /// Whether the configuration has no errors, and no service that was asked gave any trouble.
    package var isOK: Bool { isRight && (probes ?? []).allSatisfy(\.isFine) }

    /// Writes the document of `check --json` piece by piece; a long list of watches is never one text.
    ///
    /// - Parameter write: Takes a piece; `false` when the reader has gone, which ends the writing.
    package func writeJSON(_ write: ([UInt8]) -> Bool) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("ok", isOK)
        writer.texts("errors", texts(.error))
        writer.texts("warnings", texts(.warning))
        if isRight {
            writer.member("services", services)
            writer.member("receivers", receivers)
            writer.member("watches", watches)
            writer.member("discoveries", discoveries)
        }
        if let probes {
            writer.key("probes")
            writer.beginArray()
            for probe in probes { probe.write(to: &writer) }
            writer.endArray()
        }
        if let explanation {
            writer.key("explanation")
            guard explanation.write(to: &writer, write) else { return }
        }
        writer.endObject()
        _ = write(writer.takeBytes())
    }

    private func texts(_ severity: Diagnostic.Severity) -> [String] {
        diagnostics.filter { $0.severity == severity }.map(\.description)
    }
}

extension ServiceProbe {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("service", service)
        writer.member("kind", kind)
        writer.member("outcome", outcome.name)
        if case .failed(let reason) = outcome { writer.member("reason", reason.rawValue) }
        writer.member("run", run)
        writer.member("status", status)
        writer.member("duration", duration.map(DurationText.format))
        writer.member("message", message)
        writer.endObject()
    }
}
