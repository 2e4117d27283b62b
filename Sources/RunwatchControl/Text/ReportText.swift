package import RunwatchCore

/// What `reload` and `check` report.
package enum ReportText {
    package static func reload(_ reload: ReloadView) -> String {
        var text = (reload.errors + reload.warnings).map { TerminalText.escape($0) + "\n" }.joined()
        guard reload.isOK else {
            return text + "\(CountText.count(reload.errors.count, "error")); nothing was changed\n"
        }
        let counts = [
            (reload.added, "added"), (reload.removed, "removed"), (reload.changed, "changed"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        text += "reloaded: "
        text += counts.isEmpty ? "no watch changed" : "watches " + counts.joined(separator: ", ")
        return text + "\n"
    }

    package static func check(_ check: ConfigurationCheck) -> String {
        let lines = check.diagnostics.map { TerminalText.escape($0.description) + "\n" }.joined()
        guard check.isOK else {
            return lines + CountText.count(check.errors.count, "error") + "\n"
        }
        return lines
            + [
                CountText.count(check.services, "service"),
                CountText.count(check.receivers, "receiver"),
                CountText.count(check.watches, "watch", plural: "watches"),
            ].joined(separator: ", ") + ": ok\n"
    }
}

/// What an offline look at a configuration found.
package struct ConfigurationCheck: Sendable, Equatable {
    package var diagnostics: [Diagnostic]
    /// How many the configuration has; 0 when it has errors.
    package var services: Int
    package var receivers: Int
    package var watches: Int

    package init(diagnostics: [Diagnostic], services: Int, receivers: Int, watches: Int) {
        self.diagnostics = diagnostics
        self.services = services
        self.receivers = receivers
        self.watches = watches
    }

    package var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    package var isOK: Bool { errors.isEmpty }

    /// The document of `check --json`.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("ok", isOK)
        writer.texts("errors", errors.map(\.description))
        writer.texts(
            "warnings", diagnostics.filter { $0.severity == .warning }.map(\.description))
        if isOK {
            writer.member("services", services)
            writer.member("receivers", receivers)
            writer.member("watches", watches)
        }
        writer.endObject()
        return writer.bytes
    }
}
