import RunwatchCore

/// The body of a Krixik answer, good or not; what it says is not judged here.
struct KrixikAnswer {
    /// A member that should be an object or null.
    enum Part<Content> {
        case missing
        case null
        case object(Content)
        /// Anything else.
        case wrong
    }

    /// The module map.
    struct Modules {
        /// How many modules are listed by name.
        static let listed = 64

        var done = 0
        var total = 0
        /// In the order of the answer, names cut at the first dot, each once.
        var named: [(name: String, isDone: Bool)] = []

        var isComplete: Bool { total > 0 && done == total }

        var progress: Progress? {
            guard total > 0 else { return nil }
            return Progress(done: Int32(clamping: done), total: Int32(clamping: total))
        }

        fileprivate mutating func add(_ key: String, isDone: Bool) {
            total += 1
            if isDone { done += 1 }
            guard named.count < Modules.listed else { return }
            let name = String(decoding: key.utf8.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
            if let index = named.firstIndex(where: { $0.name == name }) {
                named[index].isDone = named[index].isDone && isDone
            } else {
                named.append((name, isDone))
            }
        }
    }

    struct Failure {
        /// The name of the module that failed, when given.
        var module: String?
    }

    /// Whether the body has an ID of the call.
    ///
    /// The ID is new with every call: it never names the run.
    var hasRequestID = false
    var fileID: String?
    var message: String?
    var modules: Part<Modules> = .missing
    var failure: Part<Failure> = .missing

    /// Krixik's own refusals have both; a gateway before it sends a message alone.
    var isOfKrixik: Bool { hasRequestID && message != nil }

    init(_ body: [UInt8]) throws(JSONError) {
        var reader = try JSONReader(body)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "request_id": hasRequestID = try reader.stringOrSkip() != nil
            case "file_id": fileID = try reader.stringOrSkip()
            case "message": message = try reader.stringOrSkip()
            case "process_status":
                modules = try KrixikAnswer.part(&reader, KrixikAnswer.readModules)
            case "failure_status":
                failure = try KrixikAnswer.part(&reader, KrixikAnswer.readFailure)
            default: try reader.skip()
            }
        }
        try reader.finish()
    }

    private static func part<Content>(
        _ reader: inout JSONReader,
        _ content: (inout JSONReader) throws(JSONError) -> Content
    ) throws(JSONError) -> Part<Content> {
        switch try reader.peek() {
        case .object: return .object(try content(&reader))
        case .null:
            try reader.null()
            return .null
        default:
            try reader.skip()
            return .wrong
        }
    }

    private static func readModules(_ reader: inout JSONReader) throws(JSONError) -> Modules {
        var modules = Modules()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            var isDone = false
            if try reader.peek() == .bool {
                isDone = try reader.bool()
            } else {
                // Only the literal `true` counts; 1 and "true" do not.
                try reader.skip()
            }
            modules.add(key, isDone: isDone)
        }
        return modules
    }

    private static func readFailure(_ reader: inout JSONReader) throws(JSONError) -> Failure {
        var failure = Failure()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key == "failure_module" {
                failure.module = try reader.stringOrSkip()
            } else {
                try reader.skip()
            }
        }
        return failure
    }
}
