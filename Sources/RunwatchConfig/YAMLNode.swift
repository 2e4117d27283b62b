/// The nodes of a YAML text in the order of the text, 24 bytes each.
///
/// Children follow their parent; `end` is the index after the last of them, so the next sibling of a node
/// begins where the node ends. The texts of all scalars stand in one array of bytes.
final class YAMLTree {
    enum Kind: UInt8 {
        case scalar, sequence, mapping
        /// Stands for an earlier node.
        case alias
    }

    /// How a scalar is written.
    enum Style: UInt8 {
        case plain, singleQuoted, doubleQuoted
        /// After `|`, line by line.
        case literal
        /// After `>`, lines joined to paragraphs.
        case folded
    }

    struct Record {
        var kind: Kind
        /// Of a scalar.
        var style = Style.doubleQuoted
        var line: UInt32
        var column: UInt32
        /// Where the text of a scalar begins, or the index of the node that an alias stands for.
        var start: UInt32 = 0
        /// Bytes of a scalar's text.
        var length: UInt32 = 0
        /// The index after the last descendant.
        var end: UInt32 = 0
    }

    private(set) var records: [Record] = []
    private(set) var text: [UInt8] = []

    /// Appends a node that ends with itself; gives its index.
    func append(_ record: Record) -> Int {
        var record = record
        record.end = UInt32(truncatingIfNeeded: records.count + 1)
        records.append(record)
        return records.count - 1
    }

    /// Appends the text of the scalar that is appended next; gives where it begins.
    func append(text bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let start = text.count
        text.append(contentsOf: bytes)
        return start
    }

    /// Marks all nodes after `index` as its descendants.
    func close(_ index: Int) {
        records[index].end = UInt32(truncatingIfNeeded: records.count)
    }

    /// Forgets what came after a point in the past; nodes beyond it must not be used any more.
    func truncate(records count: Int, text length: Int) {
        records.removeSubrange(count...)
        text.removeSubrange(length...)
    }

    /// The node that a node stands for: the anchored one for an alias, itself for any other.
    func resolve(_ index: Int) -> Int {
        var index = index
        // Aliases point backwards only, so this ends.
        while records[index].kind == .alias { index = Int(records[index].start) }
        return index
    }
}

/// One node with its place; an alias shows the content of what it stands for, and its own place.
struct YAMLNode {
    enum Kind {
        case scalar, sequence, mapping
    }

    private let tree: YAMLTree
    /// The node whose content is shown, and a copy of its record.
    private let index: Int
    private let record: YAMLTree.Record
    private let place: (line: UInt32, column: UInt32)

    init(tree: YAMLTree, index: Int) {
        self.tree = tree
        let record = tree.records[index]
        place = (record.line, record.column)
        guard record.kind == .alias else {
            self.index = index
            self.record = record
            return
        }
        self.index = tree.resolve(index)
        self.record = tree.records[self.index]
    }

    /// From 1.
    var line: Int { Int(place.line) }
    /// From 1, in characters.
    var column: Int { Int(place.column) }

    var kind: Kind {
        switch record.kind {
        case .scalar: .scalar
        case .sequence: .sequence
        case .mapping: .mapping
        case .alias: preconditionFailure("an alias was not resolved")
        }
    }

    /// Whether nothing was written: `key:` and the end of the line.
    var isBlank: Bool { record.kind == .scalar && record.style == .plain && record.length == 0 }

    /// How a scalar is written, and where: for an alias, where the anchored one stands.
    var source: (style: YAMLTree.Style, line: Int, column: Int) {
        (record.style, Int(record.line), Int(record.column))
    }

    /// The text of a scalar as written, without quotes and escapes; empty for other kinds.
    var text: String {
        withBytes { String(decoding: $0, as: UTF8.self) }
    }

    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let isScalar = record.kind == .scalar
        let range = Int(record.start)..<Int(record.start) + Int(record.length)
        return tree.text.withUnsafeBufferPointer { text in
            body(UnsafeBufferPointer(rebasing: text[isScalar ? range : 0..<0]))
        }
    }

    /// The elements of a sequence, or keys and values in turn of a mapping; none of a scalar.
    var children: Children {
        Children(tree: tree, upcoming: index + 1, end: Int(record.end))
    }

    struct Children: Sequence, IteratorProtocol {
        fileprivate let tree: YAMLTree
        fileprivate var upcoming: Int
        fileprivate let end: Int

        mutating func next() -> YAMLNode? {
            guard upcoming < end else { return nil }
            let node = YAMLNode(tree: tree, index: upcoming)
            upcoming = Int(tree.records[upcoming].end)
            return node
        }
    }
}
