import RunwatchCore

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

    /// The diagnostics, and a line of counts.
    package static func check(_ check: ConfigurationCheck) -> String {
        let lines = check.diagnostics.map { TerminalText.escape($0.description) + "\n" }.joined()
        let warnings = check.warningCount
        let warned = warnings > 0 ? [CountText.count(warnings, "warning")] : []
        guard check.isRight else {
            let faults = [CountText.count(check.errorCount, "error")] + warned
            return lines + faults.joined(separator: ", ") + "\n"
        }
        var counts = [
            CountText.count(check.services, "service"),
            CountText.count(check.receivers, "receiver"),
            CountText.count(check.watches, "watch", plural: "watches"),
        ]
        if check.discoveries > 0 {
            counts.append(CountText.count(check.discoveries, "discovery", plural: "discoveries"))
        }
        let verdict = (["ok"] + warned).joined(separator: ", ")
        return lines + counts.joined(separator: ", ") + ": \(verdict)\n"
    }
}
