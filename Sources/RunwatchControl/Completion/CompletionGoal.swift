/// What stands to be completed, as the words before it decide.
package struct CompletionGoal: Sendable, Equatable {
    /// What the word under the cursor names.
    package enum Kind: Sendable, Equatable {
        case nothing
        case verb
        case option([CommandOutline.Option])
        case watch(Choice)
        case service
        case states
        case group
        case receiver
        /// Several, with commas between.
        case receivers
        case failedDelivery
        case file
    }

    /// Which watches a verb is for.
    package enum Choice: Sendable, Equatable {
        case all
        /// Those that have not ended.
        case active
        /// The same; when none of them fits, all.
        case preferablyActive
        case ended
        case transient
    }

    package var kind: Kind
    /// What of the value stands there already.
    package var prefix: String
    /// What comes before the value in the same word: `--service=`, or nothing.
    package var lead = ""
    /// Operands of the verb that stand before, which need not be offered again.
    package var given: Set<String> = []
    /// The value of `--socket`.
    package var socket: String?

    /// Finds the goal.
    ///
    /// - Parameter words: The words behind the program's name, unquoted; the last one, which may be empty,
    ///   ends at the cursor.
    package init(_ words: [String], in outline: CommandOutline) {
        var line = Line(outline: outline)
        for word in words.dropLast() { line.take(word) }
        let current = words.last ?? ""
        kind = .nothing
        prefix = current
        socket = line.socket
        given = Set(line.operands)
        if let option = line.pending {
            kind = CompletionGoal.value(of: option)
        } else if !line.isTerminated, current.hasPrefix("--"),
            let equals = current.firstIndex(of: "=")
        {
            lead = String(current[...equals])
            prefix = String(current[current.index(after: equals)...])
            if let option = line.option(String(current[..<equals])), option.takesValue {
                kind = CompletionGoal.value(of: option)
            }
        } else if !line.isTerminated, current.hasPrefix("-") {
            kind = .option(line.unusedOptions)
        } else if let verb = line.verb {
            kind = CompletionGoal.operand(verb, at: line.operands.count)
        } else if !line.isLost {
            kind = .verb
        }
    }

    private static func value(of option: CommandOutline.Option) -> Kind {
        switch option.names.last {
        case "--service": .service
        case "--state": .states
        case "--group": .group
        case "--receiver": .receiver
        case "--notify": .receivers
        case "--watch": .watch(.all)
        case "--socket": .file
        default: .nothing
        }
    }

    private static func operand(_ verb: CommandOutline.Verb, at index: Int) -> Kind {
        guard let last = verb.operands.last else { return .nothing }
        guard index < verb.operands.count || last.isRepeating else { return .nothing }
        let name = index < verb.operands.count ? verb.operands[index].name : last.name
        switch (verb.name, name) {
        case ("wait", "service/id"): return .watch(.preferablyActive)
        case ("poll", "service/id"): return .watch(.active)
        case ("rewatch", "service/id"): return .watch(.ended)
        case ("remove", "service/id"): return .watch(.transient)
        case (_, "service/id"): return .watch(.all)
        case (_, "service"): return .service
        case ("test-receiver", _): return .receiver
        case ("redeliver", _): return .failedDelivery
        case ("help", _): return index == 0 ? .verb : .nothing
        case (_, "file"): return .file
        default: return .nothing
        }
    }
}

/// The words before the cursor, read as the argument parser would.
private struct Line {
    let outline: CommandOutline
    var verb: CommandOutline.Verb?
    /// The verb is none that there is, so nothing behind it can be understood.
    var isLost = false
    /// `--` has been there: what follows is no option.
    var isTerminated = false
    /// An option whose value comes next.
    var pending: CommandOutline.Option?
    var operands: [String] = []
    var socket: String?
    var used: Set<String> = []

    init(outline: CommandOutline) {
        self.outline = outline
    }

    mutating func take(_ word: String) {
        if let option = pending {
            pending = nil
            note(word, of: option)
        } else if !isTerminated, word == "--" {
            isTerminated = true
        } else if !isTerminated, word.hasPrefix("-"), word != "-" {
            takeOption(word)
        } else if verb != nil {
            operands.append(word)
        } else {
            verb = outline.verb(word)
            isLost = isLost || verb == nil
        }
    }

    private mutating func takeOption(_ word: String) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let option = option(String(parts[0])) else { return }
        used.formUnion(option.names)
        guard option.takesValue else { return }
        if parts.count > 1 {
            note(String(parts[1]), of: option)
        } else {
            pending = option
        }
    }

    private mutating func note(_ value: String, of option: CommandOutline.Option) {
        if option.names.contains("--socket") { socket = value }
    }

    private var options: [CommandOutline.Option] { verb?.options ?? outline.commonOptions }

    func option(_ name: String) -> CommandOutline.Option? {
        options.first { $0.names.contains(name) }
    }

    var unusedOptions: [CommandOutline.Option] {
        options.filter { $0.isRepeating || used.isDisjoint(with: $0.names) }
    }
}
