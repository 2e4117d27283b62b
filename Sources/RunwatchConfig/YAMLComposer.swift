import CYAML

/// Builds nodes from libyaml's events, within bounds that no hostile text can break.
///
/// One document, no tags but YAML's own for texts, lists and mappings, keys that are scalars. Aliases
/// share the anchored node; what they stand for is counted as if it were written out.
struct YAMLComposer: ~Copyable {
    /// No configuration nests deeper than a dozen levels.
    static let maximumDepth = 64
    /// Nodes in memory at once: 240 MB.
    static let maximumNodes = 10_000_000
    /// Nodes that aliases stand for, in all of a text; a bomb has billions.
    static let maximumAliasedNodes = 10_000_000

    private struct Anchor {
        let index: Int
        /// Nodes, those behind aliases included.
        var count = 0
        /// Levels below the node.
        var height = 0
        var isFinished = false
    }

    private struct Frame {
        let index: Int
        let isMapping: Bool
        let anchor: String?
        var expectsKey = true
        var count = 1
        var height = 0
    }

    private var events: YAMLEvents
    private let tree = YAMLTree()
    private var frames: [Frame] = []
    private var anchors: [String: Anchor] = [:]
    private var anchorsSeen = 0
    private var aliasedNodes = 0
    /// Levels above the node that is composed now.
    private var outerDepth = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLError) {
        events = try YAMLEvents(bytes)
    }

    // MARK: Callers

    /// Reads a whole text and lends its one node to `body`; `nil` when there is no document.
    static func document<Result>(
        _ bytes: [UInt8], _ body: (YAMLNode?) -> Result
    ) throws(YAMLError) -> Result {
        try withText(bytes) { (text) throws(YAMLError) in
            var composer = try YAMLComposer(text)
            guard try composer.beginDocument() else { return body(nil) }
            let root = try composer.node()
            try composer.endDocument()
            return body(root)
        }
    }

    /// Reads a text that is one sequence, and lends each element to `body` as soon as it is complete.
    ///
    /// Elements are forgotten one by one (but for those with anchors), so the memory needed is that of
    /// the largest. A text without a document, and a blank one, is an empty sequence.
    static func elements(
        _ bytes: [UInt8], notASequence: String, _ body: (YAMLNode) -> Void
    ) throws(YAMLError) {
        try withText(bytes) { (text) throws(YAMLError) in
            var composer = try YAMLComposer(text)
            guard try composer.beginDocument() else { return }
            guard try composer.beginSequence(else: notASequence) else { return }
            try composer.eachElement(body)
            try composer.endDocument()
        }
    }

    /// Pins the text, without a byte order mark, and checks that it is UTF-8.
    private static func withText<Result>(
        _ bytes: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>) throws(YAMLError) -> Result
    ) throws(YAMLError) -> Result {
        try bytes.withUnsafeBufferPointer { (whole) throws(YAMLError) in
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            let text = UnsafeBufferPointer(
                rebasing: whole.starts(with: mark) ? whole[mark.count...] : whole[...])
            if let offset = UTF8Check.firstFault(in: text) {
                let place = TextPlace(of: offset, in: text)
                throw YAMLError(
                    line: place.line, column: place.column,
                    message: "the text is not UTF-8; save the file as UTF-8")
            }
            return try body(text)
        }
    }

    // MARK: Documents

    /// - Returns: Whether there is a document.
    private mutating func beginDocument() throws(YAMLError) -> Bool {
        while true {
            var event = try events.next()
            defer { yaml_event_delete(&event) }
            if event.type == YAML_DOCUMENT_START_EVENT { return true }
            if event.type == YAML_STREAM_END_EVENT { return false }
        }
    }

    private mutating func endDocument() throws(YAMLError) {
        while true {
            var event = try events.next()
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return }
            if event.type == YAML_DOCUMENT_START_EVENT {
                throw fault(
                    event.start_mark, "a second document begins here; one file holds one document")
            }
        }
    }

    /// - Returns: `false` when the document is blank.
    private mutating func beginSequence(else problem: String) throws(YAMLError) -> Bool {
        var event = try events.next()
        defer { yaml_event_delete(&event) }
        guard event.type == YAML_SEQUENCE_START_EVENT else {
            let isBlank =
                event.type == YAML_SCALAR_EVENT && event.data.scalar.length == 0
                && event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
            guard isBlank else { throw fault(event.start_mark, problem) }
            return false
        }
        let start = event.data.sequence_start
        try checkTag(start.tag, "seq", event.start_mark)
        // An alias to the whole list could only stand inside of it.
        if let name = name(start.anchor) { anchors[name] = Anchor(index: 0) }
        outerDepth = 1
        return true
    }

    private mutating func eachElement(_ body: (YAMLNode) -> Void) throws(YAMLError) {
        var keptRecords = 0
        var keptText = 0
        while true {
            let anchorsBefore = anchorsSeen
            guard let element = try nodeOrEnd() else { return }
            body(element)
            if anchorsSeen == anchorsBefore {
                tree.truncate(records: keptRecords, text: keptText)
            } else {
                keptRecords = tree.records.count
                keptText = tree.text.count
            }
        }
    }

    // MARK: Nodes

    private mutating func node() throws(YAMLError) -> YAMLNode {
        guard let node = try nodeOrEnd() else {
            preconditionFailure("libyaml ended a collection that it had not begun")
        }
        return node
    }

    /// Composes the next node with all below it; `nil` at the end of the sequence around it.
    private mutating func nodeOrEnd() throws(YAMLError) -> YAMLNode? {
        let first = tree.records.count
        repeat {
            if try step() { return nil }
        } while !frames.isEmpty
        return YAMLNode(tree: tree, index: first)
    }

    /// Takes one event; returns whether it ended the collection around all frames.
    private mutating func step() throws(YAMLError) -> Bool {
        var event = try events.next()
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_SCALAR_EVENT: try scalar(event)
        case YAML_ALIAS_EVENT: try alias(event)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            try checkTag(start.tag, "seq", event.start_mark)
            try begin(.sequence, anchor: start.anchor, event.start_mark)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            try checkTag(start.tag, "map", event.start_mark)
            try begin(.mapping, anchor: start.anchor, event.start_mark)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            guard let frame = frames.popLast() else { return true }
            tree.close(frame.index)
            if let anchor = frame.anchor, anchors[anchor]?.index == frame.index {
                anchors[anchor] = Anchor(
                    index: frame.index, count: frame.count, height: frame.height, isFinished: true)
            }
            completed(count: frame.count, height: frame.height)
        default: preconditionFailure("libyaml sent an event that cannot stand in a document")
        }
        return false
    }

    private mutating func scalar(_ event: yaml_event_t) throws(YAMLError) {
        let scalar = event.data.scalar
        try checkTag(scalar.tag, "str", event.start_mark)
        try checkRoom(event.start_mark)
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        var record = record(.scalar, event.start_mark)
        record.style = style(scalar.style)
        record.start = UInt32(truncatingIfNeeded: tree.append(text: bytes))
        record.length = UInt32(truncatingIfNeeded: scalar.length)
        let index = tree.append(record)
        if let anchor = name(scalar.anchor) {
            anchors[anchor] = Anchor(index: index, count: 1, isFinished: true)
            anchorsSeen += 1
        }
        completed(count: 1, height: 0)
    }

    private func style(_ style: yaml_scalar_style_t) -> YAMLTree.Style {
        switch style {
        case YAML_PLAIN_SCALAR_STYLE: .plain
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .doubleQuoted
        }
    }

    private mutating func begin(
        _ kind: YAMLTree.Kind, anchor: UnsafeMutablePointer<yaml_char_t>?, _ mark: yaml_mark_t
    ) throws(YAMLError) {
        try checkKeyIsScalar(mark)
        try checkRoom(mark)
        guard outerDepth + frames.count < YAMLComposer.maximumDepth else {
            throw fault(mark, "nested deeper than \(YAMLComposer.maximumDepth) levels")
        }
        let index = tree.append(record(kind, mark))
        let anchor = name(anchor)
        if let anchor {
            anchors[anchor] = Anchor(index: index)
            anchorsSeen += 1
        }
        frames.append(Frame(index: index, isMapping: kind == .mapping, anchor: anchor))
    }

    private mutating func alias(_ event: yaml_event_t) throws(YAMLError) {
        let mark = event.start_mark
        try checkRoom(mark)
        // The name is not shown: an unquoted secret may begin with '*'.
        guard let name = name(event.data.alias.anchor), let anchor = anchors[name] else {
            throw fault(
                mark, "this alias has no anchor before it; a text that begins with '*' needs quotes"
            )
        }
        guard anchor.isFinished else {
            throw fault(mark, "this alias stands inside its own anchor")
        }
        if tree.records[tree.resolve(anchor.index)].kind != .scalar { try checkKeyIsScalar(mark) }
        aliasedNodes += anchor.count
        guard aliasedNodes <= YAMLComposer.maximumAliasedNodes else {
            throw fault(
                mark, "the aliases stand for more than \(YAMLComposer.maximumAliasedNodes) values")
        }
        guard outerDepth + frames.count + anchor.height <= YAMLComposer.maximumDepth else {
            throw fault(mark, "nested deeper than \(YAMLComposer.maximumDepth) levels")
        }
        var record = record(.alias, mark)
        record.start = UInt32(truncatingIfNeeded: anchor.index)
        _ = tree.append(record)
        completed(count: anchor.count, height: anchor.height)
    }

    /// Tells the collection around a node that the node is complete.
    private mutating func completed(count: Int, height: Int) {
        guard let last = frames.indices.last else { return }
        frames[last].count += count
        frames[last].height = max(frames[last].height, height + 1)
        frames[last].expectsKey.toggle()
    }

    // MARK: Checks

    private func record(_ kind: YAMLTree.Kind, _ mark: yaml_mark_t) -> YAMLTree.Record {
        YAMLTree.Record(
            kind: kind, line: UInt32(truncatingIfNeeded: mark.line + 1),
            column: UInt32(truncatingIfNeeded: mark.column + 1))
    }

    private func checkKeyIsScalar(_ mark: yaml_mark_t) throws(YAMLError) {
        guard let frame = frames.last, frame.isMapping, frame.expectsKey else { return }
        throw fault(
            mark, "a key must be a plain text; a value that begins with '{' or '[' needs quotes")
    }

    private func checkRoom(_ mark: yaml_mark_t) throws(YAMLError) {
        guard tree.records.count < YAMLComposer.maximumNodes else {
            throw fault(mark, "more than \(YAMLComposer.maximumNodes) values; split the file")
        }
    }

    /// Every value is read as it is written, so a tag could only be wrong or without effect.
    private func checkTag(
        _ tag: UnsafeMutablePointer<yaml_char_t>?, _ expected: String, _ mark: yaml_mark_t
    ) throws(YAMLError) {
        guard let tag = name(tag), tag != "!", tag != "tag:yaml.org,2002:" + expected else {
            return
        }
        // The tag is not shown: an unquoted secret may begin with '!'.
        throw fault(mark, "tags are not used here; a text that begins with '!' needs quotes")
    }

    private func name(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func fault(_ mark: yaml_mark_t, _ message: String) -> YAMLError {
        YAMLError(line: mark.line + 1, column: mark.column + 1, message: message)
    }
}
