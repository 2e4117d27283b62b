package import RunwatchCore

/// What a reload did.
package struct ReloadView: WireView {
    /// `false` when the configuration has errors; then nothing was changed.
    package var isOK: Bool
    /// How many watches came, went, or have other settings.
    package var added: Int
    package var removed: Int
    package var changed: Int
    /// `FILE:LINE:COLUMN: message`, each.
    package var errors: [String]
    package var warnings: [String]

    package init(
        isOK: Bool, added: Int = 0, removed: Int = 0, changed: Int = 0, errors: [String] = [],
        warnings: [String] = []
    ) {
        self.isOK = isOK
        self.added = added
        self.removed = removed
        self.changed = changed
        self.errors = errors
        self.warnings = warnings
    }

    package init(_ object: WireObject) throws(WireError) {
        isOK = try object.bool("ok")
        added = Int(clamping: try object.optionalInteger("added") ?? 0)
        removed = Int(clamping: try object.optionalInteger("removed") ?? 0)
        changed = Int(clamping: try object.optionalInteger("changed") ?? 0)
        errors = try object.texts("errors")
        warnings = try object.texts("warnings")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("ok", isOK)
        writer.member("added", added)
        writer.member("removed", removed)
        writer.member("changed", changed)
        writer.texts("errors", errors)
        writer.texts("warnings", warnings)
        writer.endObject()
    }
}

/// Whether polling and delivery advance.
package struct HealthView: WireView {
    package var isOK: Bool
    /// What does not advance; empty when all is well.
    package var reasons: [String]

    package init(isOK: Bool, reasons: [String] = []) {
        self.isOK = isOK
        self.reasons = reasons
    }

    package init(_ object: WireObject) throws(WireError) {
        isOK = try object.bool("ok")
        reasons = try object.texts("reasons")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("ok", isOK)
        writer.texts("reasons", reasons)
        writer.endObject()
    }
}
