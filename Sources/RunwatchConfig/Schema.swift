import RunwatchCore

/// The keys that a mapping may have; raw values as written.
protocol SchemaKey: CaseIterable, Equatable, RawRepresentable<String> {}

/// A mapping's values by key, in the order of the file.
struct Fields<Key: SchemaKey> {
    struct Field {
        let key: Key
        let keyNode: YAMLNode
        let value: YAMLNode
    }

    private(set) var all: [Field] = []
    /// Where to report what is missing.
    let node: YAMLNode

    init(node: YAMLNode) {
        self.node = node
        // Most mappings are a watch's: service, ID and a word or two.
        all.reserveCapacity(4)
    }

    subscript(key: Key) -> YAMLNode? { field(key)?.value }

    func field(_ key: Key) -> Field? {
        // By index: a closure would copy each field it looks at.
        for index in all.indices where all[index].key == key { return all[index] }
        return nil
    }

    mutating func append(_ field: Field) { all.append(field) }
}

/// Reads the nodes of one file by the schema; every fault becomes a diagnostic at its node.
///
/// A method that returns `nil` has reported why. `what` names the value in messages: `'timeout'`.
struct Schema {
    let file: String
    let diagnostics: DiagnosticCollector
    /// What the file holds, for places inside of scalars.
    var source = SourceText()

    func error(_ node: YAMLNode, _ message: @autoclosure () -> String) {
        diagnostics.error(file, line: node.line, column: node.column, message)
    }

    func warning(_ node: YAMLNode, _ message: @autoclosure () -> String) {
        diagnostics.warning(file, line: node.line, column: node.column, message)
    }

    func error(_ fault: YAMLError) {
        diagnostics.error(file, line: fault.line, column: fault.column) { fault.message }
    }

    // MARK: Mappings

    /// Reads a mapping with known keys; a blank value is an empty one.
    ///
    /// - Parameters:
    ///   - place: Where to report missing keys; the mapping itself by default.
    ///   - explain: Says more about an unknown key, if it can.
    func fields<Key: SchemaKey>(
        _ node: YAMLNode, _ what: String, _ keys: Key.Type, at place: YAMLNode? = nil,
        explain: (String) -> String? = { _ in nil }
    ) -> Fields<Key>? {
        guard checkIsMapping(node, what) else { return nil }
        var fields = Fields<Key>(node: place ?? node)
        var children = node.children
        while let keyNode = children.next(), let value = children.next() {
            let name = keyNode.text
            guard let key = Key(rawValue: name) else {
                error(keyNode, unknownKey(name, keys, what, explain))
                continue
            }
            if let first = fields.field(key) {
                error(
                    keyNode, "'\(name)' stands twice; it is at line \(first.keyNode.line) already")
                continue
            }
            fields.append(.init(key: key, keyNode: keyNode, value: value))
        }
        return fields
    }

    /// Calls `body` for each name of a mapping from names to anything.
    ///
    /// Names are of the form `[A-Za-z0-9_-]{1,64}`; a name that stands twice is reported.
    func names(
        _ node: YAMLNode, _ what: String, _ body: (String, YAMLNode, YAMLNode) -> Void
    ) {
        guard checkIsMapping(node, what) else { return }
        var lines: [String: Int] = [:]
        var children = node.children
        while let keyNode = children.next(), let value = children.next() {
            let name = keyNode.text
            guard isName(name) else {
                error(
                    keyNode,
                    "\(Shown.value(name)) is no name for one of \(what): "
                        + "use 1 to 64 letters, digits, '-' and '_'")
                continue
            }
            if let line = lines[name] {
                error(keyNode, "'\(name)' stands twice; it is at line \(line) already")
                continue
            }
            lines[name] = keyNode.line
            body(name, keyNode, value)
        }
    }

    private func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(ASCII.isNameByte)
    }

    private func checkIsMapping(_ node: YAMLNode, _ what: String) -> Bool {
        if node.kind == .mapping || node.isBlank { return true }
        error(node, "\(what) needs 'key: value' pairs, not \(Shown.kind(of: node))")
        return false
    }

    private func unknownKey<Key: SchemaKey>(
        _ name: String, _ keys: Key.Type, _ what: String, _ explain: (String) -> String?
    ) -> String {
        if name == "<<" {
            return "merge keys ('<<') are not supported; write the keys out, "
                + "or share a whole value by an anchor and an alias"
        }
        // Only what looks like a key is shown: a secret may have slipped in here.
        let isKeyLike = name.utf8.count <= 64 && name.utf8.allSatisfy(ASCII.isNameByte)
        let shown = isKeyLike && !name.isEmpty ? "unknown key '\(name)'" : "unknown key"
        if let more = explain(name) { return "\(shown) in \(what): \(more)" }
        let known = Key.allCases.map(\.rawValue)
        if let near = NearestName.find(name, among: known) {
            return "\(shown); did you mean '\(near)'?"
        }
        return "\(shown) in \(what); known are \(known.joined(separator: ", "))"
    }

    /// Calls `body` for each key and value of a mapping whose keys are free texts.
    ///
    /// - Parameter alike: Keys for which it gives the same cannot both stand; the second is reported.
    func pairs(
        _ node: YAMLNode, _ what: String, alike: (String) -> String = { $0 },
        _ body: (String, YAMLNode, YAMLNode) -> Void
    ) {
        guard checkIsMapping(node, what) else { return }
        var lines: [String: Int] = [:]
        var children = node.children
        while let keyNode = children.next(), let value = children.next() {
            let name = keyNode.text
            if let line = lines[alike(name)] {
                error(keyNode, "this key of \(what) stands twice; it is at line \(line) already")
                continue
            }
            lines[alike(name)] = keyNode.line
            body(name, keyNode, value)
        }
    }

    // MARK: Sequences

    /// The elements of a sequence.
    func list(_ node: YAMLNode, _ what: String, example: String) -> YAMLNode.Children? {
        guard node.kind == .sequence else {
            let kind = node.isBlank ? "nothing" : Shown.kind(of: node)
            error(node, "\(what) needs a list (\(example)), not \(kind)")
            return nil
        }
        return node.children
    }

    // MARK: Scalars

    /// The text of a scalar that was written at all.
    func text(_ node: YAMLNode, _ what: String) -> String? {
        guard node.kind == .scalar else {
            error(node, "\(what) needs one value, not \(Shown.kind(of: node))")
            return nil
        }
        guard !node.isBlank else {
            error(node, "\(what) has no value")
            return nil
        }
        return node.text
    }

    /// A text for people or for a request: not empty, one line, at most `limit` bytes.
    func line(_ node: YAMLNode, _ what: String, limit: Int = 512) -> String? {
        guard let text = text(node, what) else { return nil }
        guard !text.isEmpty else {
            error(node, "\(what) is empty")
            return nil
        }
        guard text.utf8.count <= limit else {
            error(node, "\(what) is longer than \(limit) bytes")
            return nil
        }
        guard !text.unicodeScalars.contains(where: ASCII.isControl) else {
            error(node, "\(what) holds a control character")
            return nil
        }
        return text
    }

    /// One of the raw values of an enumeration.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ node: YAMLNode, _ what: String, _ choices: Choice.Type
    ) -> Choice? {
        guard let text = text(node, what) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        error(node, unknownWord(text, what, Choice.allCases.map(\.rawValue)))
        return nil
    }

    func unknownWord(_ text: String, _ what: String, _ words: [String]) -> String {
        if let near = NearestName.find(text, among: words) {
            return "\(what) cannot be \(Shown.value(text)); did you mean '\(near)'?"
        }
        return
            "\(what) cannot be \(Shown.value(text)); it is one of \(words.joined(separator: ", "))"
    }

    /// A name of something that the configuration declares.
    func unknownName(_ text: String, _ what: String, among names: [String]) -> String {
        if let near = NearestName.find(text, among: names) {
            return "unknown \(what) \(Shown.value(text)); did you mean '\(near)'?"
        }
        if names.isEmpty {
            return "unknown \(what) \(Shown.value(text)); the configuration has no \(what)s"
        }
        let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        return "unknown \(what) \(Shown.value(text)); known are \(shown)"
    }

    func duration(
        _ node: YAMLNode, _ what: String, atLeast minimum: Duration,
        atMost maximum: Duration = .seconds(36_500 * 86_400)
    ) -> Duration? {
        guard let text = text(node, what) else { return nil }
        guard let duration = DurationText.parse(text) else {
            error(node, "\(what): \(UnitText.durationFault(text))")
            return nil
        }
        return within(minimum...maximum, duration, node, what)
    }

    /// A duration, or `none`.
    func limit(_ node: YAMLNode, _ what: String, atLeast minimum: Duration) -> Limit? {
        guard let text = text(node, what) else { return nil }
        if text == "none" { return Limit.none }
        if ["null", "~", "never", "off", "no", "None", "0", "0s"].contains(text) {
            error(node, "\(what) cannot be \(Shown.value(text)); write none for no limit")
            return nil
        }
        return duration(node, what, atLeast: minimum).map { .after($0) }
    }

    private func within(
        _ range: ClosedRange<Duration>, _ duration: Duration, _ node: YAMLNode, _ what: String
    ) -> Duration? {
        guard range.contains(duration) else {
            let bound =
                duration < range.lowerBound
                ? "shorter than \(DurationText.format(range.lowerBound))"
                : "longer than \(DurationText.format(range.upperBound))"
            error(node, "\(what) cannot be \(bound)")
            return nil
        }
        return duration
    }

    func flag(_ node: YAMLNode, _ what: String) -> Bool? {
        parsed(node, what, "it is true or false") { ["true": true, "false": false][$0] }
    }

    func integer(_ node: YAMLNode, _ what: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, what) else { return nil }
        guard let value = NumberText.integer(text), range.contains(value) else {
            error(
                node,
                "\(what) cannot be \(Shown.value(text)); "
                    + "it is a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// Reads a text with a parser of its own; `form` says what the text has to be.
    func parsed<Value>(
        _ node: YAMLNode, _ what: String, _ form: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = text(node, what) else { return nil }
        guard let value = parse(text) else {
            error(node, "\(what) cannot be \(Shown.value(text)); \(form)")
            return nil
        }
        return value
    }
}

/// A limit in time that may be switched off by the word `none`.
enum Limit: Hashable {
    case none
    case after(Duration)

    var duration: Duration? {
        switch self {
        case .none: nil
        case .after(let duration): duration
        }
    }
}
