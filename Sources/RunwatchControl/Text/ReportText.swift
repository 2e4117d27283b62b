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
        var counts = [
            CountText.count(check.services, "service"),
            CountText.count(check.receivers, "receiver"),
            CountText.count(check.watches, "watch", plural: "watches"),
        ]
        if check.discoveries > 0 {
            counts.append(CountText.count(check.discoveries, "discovery", plural: "discoveries"))
        }
        return lines + counts.joined(separator: ", ") + ": ok\n"
    }
}

/// What an offline look at a configuration found.
package struct ConfigurationCheck: Sendable, Equatable {
    package var diagnostics: [Diagnostic]
    /// How many the configuration has; 0 when it has errors.
    package var services: Int
    package var receivers: Int
    package var watches: Int
    package var discoveries: Int

    package init(
        diagnostics: [Diagnostic], services: Int, receivers: Int, watches: Int,
        discoveries: Int = 0
    ) {
        self.diagnostics = diagnostics
        self.services = services
        self.receivers = receivers
        self.watches = watches
        self.discoveries = discoveries
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
            writer.member("discoveries", discoveries)
        }
        writer.endObject()
        return writer.bytes
    }
}
