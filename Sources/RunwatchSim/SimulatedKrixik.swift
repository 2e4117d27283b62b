package import RunwatchCore
package import RunwatchHTTP

/// Krixik as its client knows it, without a clock and without a network.
///
/// Requests are checked as strictly as is known; what is not known (the form of "not found") can be set.
package struct SimulatedKrixik: Sendable {
    /// How "not found" is said; which one the service uses is not established.
    package enum NotFoundForm: String, CaseIterable, Hashable, Sendable {
        /// 200, and both status objects are null.
        case nulls
        case badRequest = "400"
        case notFound = "404"
    }

    package enum FailureModule: Hashable, Sendable {
        /// The first module that had not finished.
        case next
        /// The answer names none.
        case none
        case named(String)
    }

    package struct Settings: Hashable, Sendable {
        package var apiKey = "0a1b2c3d-1111-e222-2333-444455556666"
        /// Refuse other client versions; `nil` takes any.
        package var version: String?
        package var notFound = NotFoundForm.nulls
        /// Write the map's keys as `module_1.parser`.
        package var hasKeySuffix = false
        /// What a run started by the process call does after its upload.
        package var processLife = SimulatedLife([
            .init(after: .zero, state: .running), .init(after: .seconds(5), state: .complete),
        ])

        package init() {}
    }

    package struct Run: Hashable, Sendable {
        package var id: String
        package var pipeline: String
        /// Names of the modules, in pipeline order.
        package var modules: [String]
        package var life: SimulatedLife
        package var failureModule = FailureModule.next
        /// `nil` for the service's own form.
        package var notFound: NotFoundForm?
        /// When its life begins.
        package var start: Instant

        package init(
            id: String, pipeline: String, modules: [String], life: SimulatedLife, start: Instant
        ) {
            self.id = id
            self.pipeline = pipeline
            self.modules = modules
            self.life = life
            self.start = start
        }

        func step(at now: Instant) -> SimulatedLife.Step { life.step(at: start.duration(to: now)) }
    }

    package var settings: Settings
    package private(set) var runs: [String: Run] = [:]
    package private(set) var polls: [String: Int] = [:]
    var runsByFile: [String: String] = [:]
    /// When runs that the process call made expire, from their starts.
    var expiries: [String: Duration] = [:]
    var generator: SeededGenerator

    package init(settings: Settings = Settings(), seed: UInt64 = 1) {
        self.settings = settings
        generator = SeededGenerator(seed: seed)
    }

    /// Adds a run, or replaces the one with its ID.
    package mutating func add(_ run: Run) {
        runs[run.id] = run
        runsByFile[SimulatedKrixik.fileID(of: run.id)] = run.id
    }

    mutating func update(_ id: String, _ change: (inout Run) -> Void) {
        guard var run = runs[id] else { return }
        change(&run)
        runs[id] = run
    }

    // MARK: Identifiers

    /// An ID as Krixik makes them: 8-4-4-4-12 hexadecimal digits with a version and a variant that no
    /// UUID of RFC 4122 has.
    package static func makeID(_ generator: inout SeededGenerator) -> String {
        let text = hexadecimal(&generator)
        return dashed(text, version: "e", variant: "2")
    }

    /// Whether a text has the shape of an ID.
    package static func isID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && groups.joined().utf8.allSatisfy {
                ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
            }
    }

    /// The file of a run, always the same; looks like a random UUID.
    package static func fileID(of id: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var generator = SeededGenerator(seed: hash)
        return dashed(hexadecimal(&generator), version: "4", variant: "a")
    }

    mutating func requestID() -> String {
        SimulatedKrixik.dashed(
            SimulatedKrixik.hexadecimal(&generator), version: "4", variant: "9")
    }

    private static func hexadecimal(_ generator: inout SeededGenerator) -> [Character] {
        (0..<32).map { _ in Array("0123456789abcdef")[Int(generator.next() >> 60)] }
    }

    private static func dashed(
        _ digits: [Character], version: Character, variant: Character
    ) -> String {
        var digits = digits
        digits[12] = version
        digits[16] = variant
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    // MARK: Answers

    /// Answers one request; `nil` when its path is none of Krixik's.
    package mutating func answer(
        _ request: HTTPServerRequest, at now: Instant, clock: SimulatedClock
    ) -> SimulatedAnswer? {
        let path = request.rawPath
        if let file = SimulatedKrixik.uploadedFile(path) { return upload(file, request, at: now) }
        guard let call = Call.allCases.first(where: { path.hasSuffix("/\($0.rawValue)") }) else {
            return nil
        }
        guard request.header("krixikApiKey") == settings.apiKey else {
            // The gateway refuses by itself, in its own form.
            return SimulatedAnswer(
                status: 403, body: Array(#"{"message":"Forbidden"}"#.utf8), kind: call.kind)
        }
        if let problem = SimulatedKrixik.problem(with: request) {
            return refusal(call.kind, problem, isViolation: true)
        }
        switch call {
        case .status: return status(request, at: now)
        case .checkIn: return checkIn(request)
        case .process: return process(request, at: now)
        case .delete: return delete(request, at: now)
        case .list: return list(request, at: now, clock: clock)
        case .fetchOutput: return fetchOutput(request)
        }
    }

    enum Call: String, CaseIterable {
        case status = "krixik-core-process-status"
        case checkIn = "cli-checkin"
        case process = "krixik-core-process"
        case delete = "krixik-core-delete"
        case list = "krixik-core-list"
        case fetchOutput = "krixik-core-fetch-output"

        var kind: SimulatedRequestKind {
            switch self {
            case .status: .single
            case .checkIn: .checkIn
            case .process: .process
            case .delete: .delete
            case .list: .list
            case .fetchOutput: .output
            }
        }
    }

    private static func problem(with request: HTTPServerRequest) -> String? {
        if request.method != "POST" { return "the method is \(request.method), not POST" }
        let type = request.header("content-type") ?? "missing"
        return type.lowercased() == "text/plain"
            ? nil : "the content type is \(type), not text/plain"
    }

    func refusal(
        _ kind: SimulatedRequestKind, _ problem: String, status: Int = 400,
        isViolation: Bool = false, run: String? = nil, requestID: String
    ) -> SimulatedAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("request_id", requestID)
        writer.member("message", "BAD REQUEST: \(problem)")
        writer.endObject()
        var answer = SimulatedAnswer(status: status, body: writer.bytes, kind: kind, run: run)
        if isViolation { answer.violation = problem }
        return answer
    }

    mutating func refusal(
        _ kind: SimulatedRequestKind, _ problem: String, isViolation: Bool = false,
        run: String? = nil
    ) -> SimulatedAnswer {
        refusal(
            kind, problem, status: 400, isViolation: isViolation, run: run, requestID: requestID())
    }

    private mutating func status(
        _ request: HTTPServerRequest, at now: Instant
    ) -> SimulatedAnswer {
        let names = ["pipeline", "version", "process_id"]
        let values: [String: String]
        switch SimulatedKrixik.strings(request.body, exactly: names) {
        case .failure(let problem):
            return refusal(.single, problem.text, isViolation: true)
        case .success(let found): values = found
        }
        let id = values["process_id"] ?? ""
        let version = values["version"] ?? ""
        guard SimulatedKrixik.isID(id) else {
            return refusal(
                .single, "process_id '\(id)' is not 36 characters of lower-case hexadecimal",
                isViolation: true)
        }
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers.allSatisfy({ UInt32($0) != nil }),
            settings.version == nil || settings.version == version
        else { return refusal(.single, "version '\(version)'", isViolation: true, run: id) }
        polls[id, default: 0] += 1
        guard let run = runs[id], run.step(at: now).state != .gone else {
            return notFound(id, form: runs[id]?.notFound ?? settings.notFound)
        }
        guard run.pipeline == values["pipeline"] else {
            return refusal(
                .single, "pipeline of process_id does not match associated file pipeline", run: id)
        }
        return SimulatedAnswer(
            status: 200, body: statusBody(run, run.step(at: now)), kind: .single, run: id)
    }

    private mutating func notFound(_ id: String, form: NotFoundForm) -> SimulatedAnswer {
        let message = "process_id not found"
        guard form == .nulls else {
            return refusal(
                .single, message, status: form == .notFound ? 404 : 400, run: id,
                requestID: requestID())
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("request_id", requestID())
        writer.member("file_id", "")
        writer.member("message", message)
        writer.key("process_status")
        writer.null()
        writer.key("failure_status")
        writer.null()
        writer.endObject()
        return SimulatedAnswer(status: 200, body: writer.bytes, kind: .single, run: id)
    }

    private mutating func statusBody(_ run: Run, _ step: SimulatedLife.Step) -> [UInt8] {
        let hasFailed = step.state == .error || step.state == .killed
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("request_id", requestID())
        writer.member("file_id", SimulatedKrixik.fileID(of: run.id))
        writer.member("message", message(step, hasFailed: hasFailed))
        writer.key("process_status")
        if hasFailed {
            writer.null()
        } else {
            writer.beginObject()
            if step.state != .empty {
                for (index, module) in run.modules.enumerated() {
                    let key = "module_\(index + 1)\(settings.hasKeySuffix ? ".\(module)" : "")"
                    writer.member(key, step.state == .complete || index < Int(step.done))
                }
            }
            writer.endObject()
        }
        writer.key("failure_status")
        if hasFailed {
            writer.beginObject()
            writer.member("process_id", run.id)
            switch run.failureModule {
            case .none: break
            case .named(let name): writer.member("failure_module", name)
            case .next:
                let index = min(max(0, Int(step.done)), run.modules.count - 1)
                if index >= 0 { writer.member("failure_module", run.modules[index]) }
            }
            writer.endObject()
        } else {
            writer.null()
        }
        writer.endObject()
        return writer.bytes
    }

    private func message(_ step: SimulatedLife.Step, hasFailed: Bool) -> String {
        if !step.message.isEmpty { return step.message }
        return hasFailed
            ? "FAILURE: a module of the pipeline failed" : "SUCCESS: process_status found"
    }
}
