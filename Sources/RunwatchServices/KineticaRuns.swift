import RunwatchCore

/// What `data_str` says about runs: maps by run, in any order, joined as they are read.
///
/// Of all that an answer may carry (parameters, results, output), only what a watch needs is kept, and
/// details only for the runs that are followed. Runs that nobody follows are left out when their ID is
/// empty, longer than any ID may be or unprintable: discovery would make watches of them.
struct KineticaRuns {
    /// One run, as far as it has been read.
    private struct Run {
        let id: String
        let isWanted: Bool
        /// Of `overall_statuses`.
        var status: String?
        var tag: String?
        var proc = ""
        var message = ""
        var segments = Segments()
        /// The longest `total` of the run's `timings`, in milliseconds.
        var total: Int64?
    }

    /// The statuses of a run's segments.
    private struct Segments {
        /// How many are listed by name.
        static let listed = 64

        var done = 0
        var count = 0
        /// The first ones by name, as a JSON object; empty for none.
        var json: [UInt8] = []
    }

    /// Whether the IDs ascend so far: then one that goes on so is new, and no index is needed.
    private struct Order {
        private var last = ""
        private var ascends = true
        /// As numbers do, shorter before longer; for ASCII, where equal texts have equal lengths.
        private var ascendsByLength = true

        /// Takes in the next new ID; `true` when its place in the order already says that it is new.
        mutating func append(_ id: String) -> Bool {
            defer { last = id }
            ascends = ascends && last < id
            let (before, now) = (last.utf8.count, id.utf8.count)
            ascendsByLength =
                ascendsByLength && (before < now || before == now && last < id)
                && id.utf8.allSatisfy { $0 < 0x80 }
            return ascends || ascendsByLength
        }
    }

    private static let longestID = WatchName.longestRun

    private let scope: PollScope
    private let words: ServiceWords
    /// In the order of the answer.
    private var runs: [Run] = []
    /// Made when a run is first looked for out of order, which costs more than all the rest.
    private var indexes: [ExactText: Int]?
    private var order = Order()
    /// Where the next run is looked for first: the maps of an answer have the same order.
    private var expected = 0

    init(scope: PollScope, words: ServiceWords) {
        self.scope = scope
        self.words = words
    }

    // MARK: Reading

    /// Reads the whole content; a value of the wrong type matters only where states are read.
    mutating func read(_ content: [UInt8], wanted: (String) -> Bool) throws(JSONError) {
        var reader = try JSONReader(content)
        var hasStatuses = false
        try reader.beginObject()
        while let member = try reader.nextKey() {
            switch member {
            case "overall_statuses":
                hasStatuses = true
                try readMap(&reader, wanted) { (run, reader, _) throws(JSONError) in
                    run.status = try reader.string()
                }
            case "statuses":
                try readDetails(&reader, wanted, KineticaRuns.readSegments)
            case "messages":
                try readDetails(&reader, wanted, KineticaRuns.readMessages)
            case "timings":
                try readDetails(&reader, wanted, KineticaRuns.readTimings)
            case "proc_names":
                try readDetails(&reader, wanted) { (run, reader, words) throws(JSONError) in
                    let name = try reader.stringOrSkip() ?? ""
                    run.proc = words.clean(name, limit: ServiceWords.textLimit)
                }
            case "options":
                try readOptions(&reader, wanted)
            default: try reader.skip()
            }
        }
        try reader.finish()
        guard hasStatuses else {
            throw JSONError(offset: content.count, problem: "'overall_statuses' is missing")
        }
    }

    private typealias RunReader =
        (inout Run, inout JSONReader, ServiceWords) throws(JSONError) -> Void

    /// Reads a map by run; values of runs that do not matter here are skipped.
    private mutating func readMap(
        _ reader: inout JSONReader, _ wanted: (String) -> Bool, detailsOnly: Bool = false,
        _ read: RunReader
    ) throws(JSONError) {
        expected = 0
        try reader.beginObject()
        while let id = try reader.nextKey() {
            if let index = index(of: id, wanted), runs[index].isWanted || !detailsOnly {
                try read(&runs[index], &reader, words)
            } else {
                try reader.skip()
            }
        }
    }

    /// Reads a map of what only followed runs need; something else than a map is no detail.
    private mutating func readDetails(
        _ reader: inout JSONReader, _ wanted: (String) -> Bool, _ read: RunReader
    ) throws(JSONError) {
        guard try reader.peek() == .object else { return try reader.skip() }
        try readMap(&reader, wanted, detailsOnly: true, read)
    }

    private mutating func readOptions(
        _ reader: inout JSONReader, _ wanted: (String) -> Bool
    ) throws(JSONError) {
        guard try reader.peek() == .object else { return try reader.skip() }
        try readMap(&reader, wanted) { (run, reader, _) throws(JSONError) in
            try KineticaRuns.forEachMember(&reader) { (key, reader) throws(JSONError) in
                guard key == "run_tag" else { return try reader.skip() }
                let tag = try reader.stringOrSkip() ?? ""
                run.tag = tag.isEmpty || tag.utf8.count > ServiceWords.textLimit ? nil : tag
            }
        }
    }

    private static func readSegments(
        _ run: inout Run, _ reader: inout JSONReader, _ words: ServiceWords
    ) throws(JSONError) {
        var segments = Segments()
        var writer = JSONWriter()
        writer.beginObject()
        try forEachMember(&reader) { (id, reader) throws(JSONError) in
            let status = try reader.stringOrSkip() ?? ""
            segments.count += 1
            if status == "complete" { segments.done += 1 }
            guard segments.count <= Segments.listed else { return }
            writer.member(
                words.clean(id, limit: ServiceWords.wordLimit),
                words.clean(status, limit: ServiceWords.wordLimit))
        }
        writer.endObject()
        if segments.count > 0 { segments.json = writer.bytes }
        run.segments = segments
    }

    private static func readMessages(
        _ run: inout Run, _ reader: inout JSONReader, _ words: ServiceWords
    ) throws(JSONError) {
        var last = ""
        try forEachMember(&reader) { (_, reader) throws(JSONError) in
            if let message = try reader.stringOrSkip(), !message.isEmpty { last = message }
        }
        run.message = words.clean(last, limit: ServiceWords.messageLimit)
    }

    private static func readTimings(
        _ run: inout Run, _ reader: inout JSONReader, _ words: ServiceWords
    ) throws(JSONError) {
        var longest: Int64?
        try forEachMember(&reader) { (_, reader) throws(JSONError) in
            try forEachMember(&reader) { (key, reader) throws(JSONError) in
                guard key == "total", try reader.peek() == .number else {
                    return try reader.skip()
                }
                // They may pass 2^53: whole numbers, never floating-point ones.
                if let total = try reader.integer(), total >= 0 {
                    longest = max(longest ?? 0, total)
                }
            }
        }
        run.total = longest
    }

    /// Reads an object member by member; anything else is read past.
    private static func forEachMember(
        _ reader: inout JSONReader,
        _ body: (String, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try reader.peek() == .object else { return try reader.skip() }
        try reader.beginObject()
        while let key = try reader.nextKey() { try body(key, &reader) }
    }

    /// The place of a run, new when it is first seen; `nil` for one that does not matter.
    private mutating func index(of id: String, _ wanted: (String) -> Bool) -> Int? {
        if expected < runs.count, ExactText.areSame(runs[expected].id, id) {
            expected += 1
            return expected - 1
        }
        if case .run(let only) = scope, !ExactText.areSame(id, only) { return nil }
        if let index = known(id) {
            expected = index + 1
            return index
        }
        let isWanted: Bool
        if case .run = scope { isWanted = true } else { isWanted = wanted(id) }
        guard isWanted || KineticaRuns.isFit(id) else { return nil }
        indexes?[ExactText(id)] = runs.count
        runs.append(Run(id: id, isWanted: isWanted))
        expected = runs.count
        return runs.count - 1
    }

    /// The place of a run that has been read before.
    private mutating func known(_ id: String) -> Int? {
        if let indexes { return indexes[ExactText(id)] }
        if expected == runs.count, order.append(id) { return nil }
        var made: [ExactText: Int] = [:]
        made.reserveCapacity(runs.count * 2)
        for (index, run) in runs.enumerated() { made[ExactText(run.id)] = index }
        indexes = made
        return made[ExactText(id)]
    }

    private static func isFit(_ id: String) -> Bool {
        guard !id.isEmpty, id.utf8.count <= longestID else { return false }
        // Nearly every ID is ASCII, where no table of Unicode is needed.
        if id.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return true }
        return id.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    // MARK: Answering

    /// What has been read, run by run; for one run that is not there, that it is not found.
    func observations() -> [RunObservation] {
        if case .run(let id) = scope, runs.isEmpty {
            return [RunObservation(run: id, observation: Observation(.notFound))]
        }
        return runs.compactMap { run in
            guard run.isWanted else { return shown(run) }
            return followed(run)
        }
    }

    /// A run that nobody follows: what discovery needs.
    private func shown(_ run: Run) -> RunObservation? {
        guard let status = run.status else { return nil }
        // A server that does not know tags would show runs of any other.
        if case .tag(let tag) = scope, let own = run.tag, own != tag { return nil }
        let finding = KineticaRuns.finding(status)
        return RunObservation(run: run.id, observation: Observation(finding), tag: run.tag)
    }

    private func followed(_ run: Run) -> RunObservation {
        let finding = KineticaRuns.finding(run.status ?? "")
        var unknownWord: String?
        if finding == .nothing, let status = run.status {
            unknownWord = words.clean(status, limit: ServiceWords.wordLimit)
        }
        var progress: Progress?
        if run.segments.count > 0 {
            progress = Progress(
                done: Int32(clamping: run.segments.done), total: Int32(clamping: run.segments.count)
            )
        }
        let observation = Observation(
            finding, progress: progress, message: run.message, detail: detail(run))
        return RunObservation(
            run: run.id, observation: observation, tag: run.tag, unknownWord: unknownWord)
    }

    /// The state that a word means; nothing when the word is not known, or there is none.
    ///
    /// `overall_statuses` alone counts: how the service rolls segments up is not documented.
    private static func finding(_ status: String) -> Observation.Finding {
        switch status {
        case "none": .state(.pending)
        case "running": .state(.running)
        case "complete": .state(.complete)
        case "error": .state(.error)
        case "killed": .state(.killed)
        default: .nothing
        }
    }

    private func detail(_ run: Run) -> [UInt8] {
        let tag = words.clean(run.tag ?? "", limit: ServiceWords.textLimit)
        guard !run.proc.isEmpty || run.segments.count > 0 || !tag.isEmpty || run.total != nil
        else { return [] }
        var writer = JSONWriter()
        writer.beginObject()
        if !run.proc.isEmpty { writer.member("proc", run.proc) }
        if run.segments.count > 0 {
            writer.key("segments")
            writer.raw(run.segments.json)
            if run.segments.count > Segments.listed {
                writer.member("segments_total", run.segments.count)
            }
        }
        if !tag.isEmpty { writer.member("run_tag", tag) }
        writer.member("total_ms", run.total)
        writer.endObject()
        return writer.bytes
    }
}
