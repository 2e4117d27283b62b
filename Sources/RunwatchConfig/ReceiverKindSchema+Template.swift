import RunwatchCore
import RunwatchTemplate

private enum TemplateKey: String, SchemaKey {
    case file
}

extension ReceiverKindSchema {
    /// Reads a Mustache template and checks it: a text, or `{file: PATH}`.
    ///
    /// - Parameter isLine: It is a text of one line, for a header.
    func template(_ node: YAMLNode, _ what: String, isLine: Bool = false) -> String? {
        guard node.kind != .mapping else { return templateFile(node, what, isLine: isLine) }
        guard let text = schema.text(node, what) else { return nil }
        if let fault = fault(of: text, isLine: isLine) {
            schema.error(node, "\(what) \(fault)")
            return nil
        }
        let faults = templateFaults(text)
        report(faults, in: node, what)
        return faults.isEmpty ? text : nil
    }

    private func templateFaults(_ text: String) -> [Template.Fault] {
        do throws(Template.Fault) {
            return try Template(text).check(.event)
        } catch {
            return [error]
        }
    }

    /// What is wrong with a template before anyone looks for tags in it.
    private func fault(of text: String, isLine: Bool) -> String? {
        if text.isEmpty { return "is empty" }
        if text.utf8.count > Template.maximumLength {
            return "is longer than \(Template.maximumLength) bytes"
        }
        if isLine, text.unicodeScalars.contains(where: ASCII.isControl) {
            return "holds a control character or a second line"
        }
        return text.utf8.contains(0) ? "holds a NUL character" : nil
    }

    // MARK: In the configuration

    /// Tells each fault where it stands in the file, or in words where that cannot be said.
    private func report(_ faults: [Template.Fault], in node: YAMLNode, _ what: String) {
        guard !faults.isEmpty else { return }
        let places = ScalarReplay.places(of: node, in: schema.source) ?? []
        let text = node.text.unicodeScalars
        for fault in faults {
            let index = ScalarReplay.index(line: fault.line, column: fault.column, of: text)
            guard let index, index < places.count else {
                schema.error(
                    node,
                    "\(what): \(fault.message), at line \(fault.line), column \(fault.column) "
                        + "of the template")
                continue
            }
            let place = places[index]
            schema.diagnostics.error(schema.file, line: place.line, column: place.column) {
                "\(what): \(fault.message)"
            }
        }
    }

    // MARK: In a file of its own

    private func templateFile(_ node: YAMLNode, _ what: String, isLine: Bool) -> String? {
        let fields = schema.fields(node, what, TemplateKey.self) { _ in
            "a template is a text or {file: PATH}; a text that begins with '{' needs quotes"
        }
        guard let fields else { return nil }
        guard let field = fields[.file] else {
            if Array(node.children).isEmpty {
                schema.error(node, "\(what) needs a template: a text, or {file: PATH}")
            }
            return nil
        }
        guard let name = schema.line(field, what, limit: 4096) else { return nil }
        let path = PathText.join(context.folder, name)
        guard let text = templateText(path, field, what) else { return nil }
        if let fault = fault(of: text, isLine: isLine) {
            schema.error(field, "\(what): \(Shown.name(path)) \(fault)")
            return nil
        }
        let faults = templateFaults(text)
        for fault in faults {
            context.diagnostics.error(path, line: fault.line, column: fault.column) {
                fault.message
            }
        }
        return faults.isEmpty ? text : nil
    }

    /// The text of a file, without the line feed at its end.
    private func templateText(_ path: String, _ node: YAMLNode, _ what: String) -> String? {
        let contents: FileContents
        do throws(FileFault) {
            contents = try context.read(path, limit: Template.maximumLength)
        } catch {
            schema.error(node, "\(what): cannot read \(Shown.name(path)): \(error)")
            return nil
        }
        guard let text = contents.text else {
            schema.error(node, "\(what): \(Shown.name(path)) is not UTF-8")
            return nil
        }
        return text
    }
}
