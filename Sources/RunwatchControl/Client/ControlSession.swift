package import RunwatchCore
import RunwatchLinux

/// Carries out the verbs of `runwatchctl` that speak to the daemon.
///
/// Each verb writes its result and says how the program ends; what it throws is told on standard error.
package struct ControlSession {
    let client: ControlClient
    let output: ControlOutput
    let style: TextStyle
    /// One JSON document instead of text for people.
    let isJSON: Bool
    /// The terminal that results go to, for what is drawn in place; `nil` when they go elsewhere.
    let screen: LiveTerminal?
    /// The terminal that progress is shown on; `nil` for none.
    let progress: LiveTerminal?
    let time: any TimeSource
    /// Between two looks of `wait` whether its watches are still watched; a thousand may wait at once.
    package var lookInterval = Duration.seconds(30)

    package init(
        socket: String, output: ControlOutput = .standard, style: TextStyle = .plain,
        isJSON: Bool = false, screen: LiveTerminal? = nil, progress: LiveTerminal? = nil,
        time: any TimeSource = SystemTime()
    ) {
        client = ControlClient(socket: socket, time: time)
        self.output = output
        self.style = style
        self.isJSON = isJSON
        self.screen = screen
        self.progress = progress
        self.time = time
    }

    package func status() throws(ControlFailure) -> ExitStatus {
        let bytes = try client.get("/v1/status")
        if isJSON { return say(document: bytes) }
        let status: StatusView = try client.view(try client.parse(bytes))
        return say(StatusText.text(status, now: time.wallClock(), style: style))
    }

    package func show(_ name: WatchName) throws(ControlFailure) -> ExitStatus {
        let bytes = try client.get(ControlPath.watch(name))
        if isJSON { return say(document: bytes) }
        let watch: WatchView = try client.view(try client.parse(bytes))
        return say(WatchDetailText.text(watch, now: time.wallClock(), style: style))
    }

    package func list(_ query: WatchQuery) throws(ControlFailure) -> ExitStatus {
        if isJSON { return try joined("/v1/watches", "watches", query.parameters) }
        _ = try listed(query)
        return .done
    }

    /// Writes the table.
    /// - Returns: `false` when the reader has gone away.
    func listed(_ query: WatchQuery) throws(ControlFailure) -> Bool {
        var table = WatchTableText(now: time.wallClock())
        _ = try pages("/v1/watches", "watches", query.parameters) {
            (element) throws(ControlFailure) in
            table.append(try client.view(try client.parse(Array(element))))
            return true
        }
        if table.isEmpty {
            output.warn(ControlSession.emptyText(query))
        }
        return output.write(Array(table.text(style).utf8))
    }

    /// Asks for a poll now.
    package func poll(_ names: [WatchName]) throws(ControlFailure) -> ExitStatus {
        try change(names, verb: "poll") { watch in
            "\(watch.name)  will be polled now; last asked "
                + (watch.lastPollAt.map { AgeText.relative($0, now: time.wallClock()) } ?? "never")
        }
    }

    /// Starts watches afresh.
    package func rewatch(_ names: [WatchName]) throws(ControlFailure) -> ExitStatus {
        try change(names, verb: "rewatch") { "\($0.name)  is watched afresh" }
    }

    package func reload() throws(ControlFailure) -> ExitStatus {
        do throws(ControlFailure) {
            let bytes = try client.post("/v1/reload")
            if isJSON { return say(document: bytes) }
            return say(ReportText.reload(try client.view(try client.parse(bytes))))
        } catch {
            guard let problem = error.problem, problem.code == .configurationInvalid
            else { throw error }
            if isJSON { return say(document: problem.json, .failed) }
            let view: ReloadView = try client.view(.object(problem.members))
            return say(ReportText.reload(view), .failed)
        }
    }

    // MARK: Writing

    func say(_ text: String, _ exit: ExitStatus = .done) -> ExitStatus {
        // A reader that left has what it wanted.
        _ = output.write(Array(text.utf8))
        return exit
    }

    func say(document: [UInt8], _ exit: ExitStatus = .done) -> ExitStatus {
        _ = output.write(document + [0x0A])
        return exit
    }

    // MARK: Changes

    private func change(
        _ names: [WatchName], verb: String, _ line: (WatchView) -> String
    ) throws(ControlFailure) -> ExitStatus {
        try each(names, "watches") { (name) throws(ControlFailure) in
            let bytes = try client.post(ControlPath.watch(name, verb: verb))
            guard !isJSON else { return bytes }
            let watch: WatchView = try client.view(try client.parse(bytes))
            _ = say(TerminalText.escape(line(watch)) + "\n")
            return bytes
        }
    }

    /// Does the same to each of several things; what one is refused does not keep the others from it.
    ///
    /// As JSON the answers come in one document, of the shape of a list unless only one thing was named.
    /// - Parameter body: Gives what the API answered.
    /// - Returns: How the first refusal ends the program.
    func each<Thing>(
        _ things: [Thing], _ key: String,
        _ body: (Thing) throws(ControlFailure) -> [UInt8]
    ) throws(ControlFailure) -> ExitStatus {
        var documents: [[UInt8]] = []
        var exit = ExitStatus.done
        for thing in things {
            do throws(ControlFailure) {
                documents.append(try body(thing))
            } catch {
                // Without a daemon, or the right to it, the others would fail in the same way.
                let isOwn = error.exit == .notFound || error.exit == .usage
                guard things.count > 1, isOwn else {
                    if isJSON, !documents.isEmpty { _ = say(document: document(key, documents)) }
                    throw error
                }
                output.warn(TerminalText.escape(error.message))
                if exit == .done { exit = error.exit }
            }
        }
        guard isJSON else { return exit }
        return say(
            document: things.count == 1 ? documents[0] : document(key, documents), exit)
    }

    /// Several documents as one, of the shape of a list.
    func document(_ key: String, _ documents: [[UInt8]]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key(key)
        writer.beginArray()
        for document in documents { writer.raw(document) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    // MARK: Pages

    /// Goes through a list, element by element as the API wrote them, until `body` has enough.
    ///
    /// - Parameter limit: How many elements `body` takes at most, so that no page is longer for nothing.
    /// - Returns: `false` when it had enough.
    func pages(
        _ path: String, _ key: String, _ parameters: [(String, String?)], upTo limit: Int = .max,
        _ body: (ArraySlice<UInt8>) throws(ControlFailure) -> Bool
    ) throws(ControlFailure) -> Bool {
        let size = min(limit, ControlParameters.limits.upperBound)
        var cursor: String?
        repeat {
            let bytes = try client.get(
                ControlPath.query(
                    path,
                    parameters + [("limit", "\(size)"), ("cursor", cursor)]))
            let page = try ListPage(bytes, key: key, client)
            for element in page.elements {
                guard try body(element) else { return false }
            }
            // A page that points at itself would never end.
            guard page.next != cursor || page.next == nil else { return true }
            cursor = page.next
        } while cursor != nil
        return true
    }

    /// All pages as one document of the same shape, written while they are read.
    func joined(
        _ path: String, _ key: String, _ parameters: [(String, String?)]
    ) throws(ControlFailure) -> ExitStatus {
        let opening = Array("{\"\(key)\":[".utf8)
        var isFirst = true
        let isWhole = try pages(path, key, parameters) { element in
            let lead = isFirst ? opening : [UInt8(ascii: ",")]
            isFirst = false
            return output.write(lead + element)
        }
        guard isWhole else { return .done }
        return say(document: (isFirst ? opening : []) + Array("]}".utf8))
    }
}

/// One page of a list: its elements as they were written, and where the next one begins.
struct ListPage {
    var elements: [ArraySlice<UInt8>] = []
    var next: String?

    init(_ bytes: [UInt8], key: String, _ client: ControlClient) throws(ControlFailure) {
        do throws(JSONError) {
            var reader = try JSONReader(bytes)
            try reader.beginObject()
            while let name = try reader.nextKey() {
                switch name {
                case key:
                    try reader.beginArray()
                    while try reader.nextElement() { elements.append(try reader.rawValue()) }
                case "next": next = try reader.string()
                default: try reader.skip()
                }
            }
            try reader.finish()
        } catch {
            throw client.stranger("its list cannot be read: \(error)")
        }
    }
}
