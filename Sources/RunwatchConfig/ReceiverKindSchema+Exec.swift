import RunwatchCore

private enum ExecKey: String, SchemaKey {
    case command, environment
}

extension ReceiverKindSchema {
    private static let maximumWords = 256
    /// Linux takes 128 KiB of one argument or variable, its end included: `MAX_ARG_STRLEN`.
    private static let longestWord = 64 << 10
    private static let ownPrefix = "RUNWATCH_"

    func exec(_ node: YAMLNode) -> ReceiverSettings.Kind? {
        guard let fields = fields(node, "exec", ExecKey.self) else { return nil }
        let environment = fields[.environment].map(environment) ?? []
        let command = required(.command, fields, "exec", "[/usr/local/bin/notify]").flatMap(command)
        guard let command else { return nil }
        return .exec(ExecSettings(command: command, environment: environment))
    }

    // MARK: The program

    private func command(_ node: YAMLNode) -> [String]? {
        let example = "[/usr/local/bin/notify, --fast]"
        guard let elements = schema.list(node, "'command'", example: example) else { return nil }
        var words: [String] = []
        for element in elements {
            guard words.count < ReceiverKindSchema.maximumWords else {
                schema.error(
                    element, "'command' has more than \(ReceiverKindSchema.maximumWords) words")
                return nil
            }
            let word = words.isEmpty ? program(element) : word(element, "an argument in 'command'")
            guard let word else { return nil }
            words.append(word)
        }
        if words.isEmpty { schema.error(node, "'command' needs a program, such as \(example)") }
        return words.isEmpty ? nil : words
    }

    private func program(_ node: YAMLNode) -> String? {
        let what = "the program in 'command'"
        guard let path = schema.line(node, what, limit: 4095) else { return nil }
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.last != UInt8(ascii: "/") else {
            let more = path.contains(" ") ? "; each word is an element of its own" : ""
            schema.error(
                node,
                "\(what) cannot be \(Shown.value(path)); it is an absolute path, "
                    + "such as /usr/local/bin/notify\(more)")
            return nil
        }
        if let fault = context.programFault(path) {
            schema.warning(node, "\(what): \(Shown.name(path)) \(fault)")
        }
        return path
    }

    /// A text that goes to the program as it is, of any number of lines.
    private func word(_ node: YAMLNode, _ what: String) -> String? {
        guard let text = schema.text(node, what) else { return nil }
        guard text.utf8.count <= ReceiverKindSchema.longestWord else {
            schema.error(node, "\(what) is longer than \(ReceiverKindSchema.longestWord) bytes")
            return nil
        }
        guard !text.utf8.contains(0) else {
            schema.error(node, "\(what) holds a NUL character")
            return nil
        }
        return text
    }

    // MARK: Its environment

    private func environment(_ node: YAMLNode) -> [(name: String, value: Secret)] {
        var variables: [(name: String, value: Secret)] = []
        schema.pairs(node, "'environment'") { name, keyNode, value in
            if let fault = fault(ofVariable: name) {
                schema.error(keyNode, fault)
                return
            }
            guard variables.count < ReceiverKindSchema.maximumWords else {
                schema.error(
                    keyNode,
                    "'environment' has more than \(ReceiverKindSchema.maximumWords) variables")
                return
            }
            let what = "variable '\(name)'"
            let secret =
                value.kind == .mapping
                ? secrets.secret(value, what) : word(value, what).map { Secret($0) }
            if let secret { variables.append((name, secret)) }
        }
        return variables
    }

    /// What is wrong with a variable's name, which is only shown when it is one.
    private func fault(ofVariable name: String) -> String? {
        guard (1...128).contains(name.utf8.count), let first = name.utf8.first,
            !ASCII.isDigit(first),
            name.utf8.allSatisfy({ ASCII.isNameByte($0) && $0 != UInt8(ascii: "-") })
        else {
            return "this is no name of a variable: use letters, digits and '_', no digit first"
        }
        guard name.hasPrefix(ReceiverKindSchema.ownPrefix) else { return nil }
        return "variable '\(name)' cannot be set: the event's own begin with 'RUNWATCH_'"
    }
}
