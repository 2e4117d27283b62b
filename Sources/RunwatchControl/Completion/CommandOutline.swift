import RunwatchCore

/// What a command line of `runwatchctl` can hold: its verbs, and what each of them takes.
///
/// Read from the description that the argument parser gives of the program (`--experimental-dump-help`), so
/// that a new verb or option is completed without a second list of them.
package struct CommandOutline: Sendable, Equatable {
    package struct Option: Sendable, Equatable {
        /// As they are written: `-f`, `--follow`.
        package var names: [String]
        package var takesValue: Bool
        package var isRepeating: Bool
        package var help: String

        package init(
            names: [String], takesValue: Bool, isRepeating: Bool = false, help: String = ""
        ) {
            self.names = names
            self.takesValue = takesValue
            self.isRepeating = isRepeating
            self.help = help
        }
    }

    package struct Operand: Sendable, Equatable {
        /// As the usage line has it: `service/id`.
        package var name: String
        package var isRepeating: Bool

        package init(name: String, isRepeating: Bool = false) {
            self.name = name
            self.isRepeating = isRepeating
        }
    }

    package struct Verb: Sendable, Equatable {
        package var name: String
        package var help: String
        package var options: [Option]
        package var operands: [Operand]

        package init(
            name: String, help: String = "", options: [Option] = [], operands: [Operand] = []
        ) {
            self.name = name
            self.help = help
            self.options = options
            self.operands = operands
        }
    }

    /// In the order of the help.
    package var verbs: [Verb]

    package init(verbs: [Verb]) {
        self.verbs = verbs
    }

    /// - Returns: `nil` for text of another form.
    package init?(dumpedHelp text: String) {
        guard let document = try? JSONValue(parsing: text), let command = document["command"],
            let subcommands = command["subcommands"]?.arrayValue
        else { return nil }
        verbs = subcommands.filter(CommandOutline.isShown).compactMap(Verb.init)
    }

    package func verb(_ name: String) -> Verb? { verbs.first { $0.name == name } }

    /// The options that stand before a verb as well: those of every verb that does something.
    package var commonOptions: [Option] {
        guard let first = verbs.first else { return [] }
        return first.options.filter { option in
            verbs.allSatisfy {
                $0.name == "help" || $0.options.contains { $0.names == option.names }
            }
        }
    }

    fileprivate static func isShown(_ value: JSONValue) -> Bool {
        value["shouldDisplay"]?.boolValue ?? true
    }
}

extension CommandOutline.Verb {
    fileprivate init?(_ value: JSONValue) {
        guard let name = value["commandName"]?.stringValue else { return nil }
        self.init(name: name, help: value["abstract"]?.stringValue ?? "")
        let arguments = value["arguments"]?.arrayValue ?? []
        for argument in arguments where CommandOutline.isShown(argument) {
            let isRepeating = argument["isRepeating"]?.boolValue ?? false
            guard argument["kind"]?.stringValue != "positional" else {
                operands.append(
                    CommandOutline.Operand(
                        name: argument["valueName"]?.stringValue ?? "", isRepeating: isRepeating))
                continue
            }
            let names = (argument["names"]?.arrayValue ?? []).compactMap { name in
                name["name"]?.stringValue.map {
                    (name["kind"]?.stringValue == "long" ? "--" : "-") + $0
                }
            }
            options.append(
                CommandOutline.Option(
                    names: names, takesValue: argument["kind"]?.stringValue == "option",
                    isRepeating: isRepeating, help: argument["abstract"]?.stringValue ?? ""))
        }
    }
}
