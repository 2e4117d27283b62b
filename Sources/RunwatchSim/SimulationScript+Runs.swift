import RunwatchCore

/// Runs and fault rules, as written in a script.
extension SimulationScript {
    static func runs(
        _ list: ScriptValue, rollUp: SimulatedRollUp
    ) throws(SimulationScriptError) -> [Run] {
        var runs: [Run] = []
        for entry in try list.elements() {
            guard let service = try entry.member("service")?.word(SimulatedService.self) else {
                throw entry.failure("a run has a 'service': krixik or kinetica")
            }
            let count = try entry.member("count")?.integer(1...2_000_000) ?? 1
            let spread = try entry.member("spread")?.duration() ?? .zero
            let start = try entry.member("start")?.duration() ?? .zero
            for index in 0..<count {
                let offset = start + spread * Double(index) / Double(count)
                let moment = Instant(nanoseconds: offset.wholeNanoseconds)
                runs.append(
                    service == .krixik
                        ? .krixik(try krixikRun(entry, index, start: moment))
                        : .kinetica(try kineticaRun(entry, index, rollUp, start: moment)))
            }
        }
        return runs
    }

    /// Long enough to be seen, short enough to be waited for.
    private static let standardLife = SimulatedLife([
        .init(after: .zero, state: .running), .init(after: .seconds(5), state: .complete),
    ])

    private static func life(_ entry: ScriptValue) throws(SimulationScriptError) -> SimulatedLife {
        var life = try entry.member("life")?.life() ?? standardLife
        if let gone = try entry.member("gone_after")?.duration() { life.end(at: gone, as: .gone) }
        return life
    }

    private static func krixikRun(
        _ entry: ScriptValue, _ index: Int, start: Instant
    ) throws(SimulationScriptError) -> SimulatedKrixik.Run {
        try entry.only(
            "service", "id", "count", "spread", "start", "life", "gone_after", "pipeline",
            "modules", "failure_module", "not_found")
        let first = try entry.member("id")?.string() ?? ""
        guard first.isEmpty || SimulatedKrixik.isID(first) else {
            throw entry.failure("'id' has 36 characters: lower-case hexadecimal, 8-4-4-4-12")
        }
        var seed: UInt64 = 0x6B72_6978_696B
        for byte in "\(entry.path)\(first)".utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var generator = SeededGenerator(seed: seed &+ UInt64(index))
        let made = SimulatedKrixik.makeID(&generator)
        var modules = ["parser", "text-embedder", "vector-db"]
        if let given = entry.member("modules") {
            if given.value.arrayValue == nil {
                modules = (1...(try given.integer(1...10))).map { "module-name-\($0)" }
            } else {
                modules = try given.elements().map { (name) throws(SimulationScriptError) in
                    try name.string()
                }
            }
        }
        var run = SimulatedKrixik.Run(
            id: index == 0 && !first.isEmpty ? first : made,
            pipeline: try entry.member("pipeline")?.string() ?? "pipeline", modules: modules,
            life: try life(entry), start: start)
        if let module = entry.member("failure_module") {
            run.failureModule = module.value == .bool(false) ? .none : .named(try module.string())
        }
        run.notFound = try entry.member("not_found")?.word(SimulatedKrixik.NotFoundForm.self)
        return run
    }

    private static func kineticaRun(
        _ entry: ScriptValue, _ index: Int, _ rollUp: SimulatedRollUp, start: Instant
    ) throws(SimulationScriptError) -> SimulatedKinetica.Run {
        try entry.only(
            "service", "id", "count", "spread", "start", "life", "gone_after", "proc", "run_tag",
            "segments", "roll_up", "user", "params", "output_lines")
        guard let first = try entry.member("id")?.string(), !first.isEmpty else {
            throw entry.failure("a run at Kinetica has an 'id'")
        }
        guard index == 0 || Int(first) != nil else {
            throw entry.failure("with 'count' the 'id' is a number, from which is counted")
        }
        var segments = [SimulatedKinetica.Segment(name: "0")]
        var lives: [SimulatedLife] = []
        if let given = entry.member("segments") {
            if given.value.members == nil {
                let count = try given.integer(1...10_000)
                segments = (0..<count).map { SimulatedKinetica.Segment(name: String($0)) }
            } else {
                segments = []
                for (name, steps) in try given.members() {
                    lives.append(try steps.life())
                    segments.append(.init(name: name, life: lives[lives.count - 1]))
                }
                guard entry.member("life") == nil, !lives.isEmpty else {
                    throw entry.failure(
                        "segments with lives of their own need no 'life' beside them")
                }
            }
        }
        let rule = try entry.member("roll_up")?.word(SimulatedRollUp.self) ?? rollUp
        var whole = lives.isEmpty ? try life(entry) : rule.life(of: lives)
        if !lives.isEmpty, let gone = try entry.member("gone_after")?.duration() {
            whole.end(at: gone, as: .gone)
        }
        var run = SimulatedKinetica.Run(
            id: index == 0 ? first : String((Int(first) ?? 0) + index),
            proc: try entry.member("proc")?.string() ?? "proc", segments: segments, life: whole,
            start: start)
        run.tag = try entry.member("run_tag")?.string() ?? ""
        run.user = try entry.member("user")?.string() ?? ""
        if let lines = try entry.member("output_lines")?.integer(0...1_000_000) {
            run.outputLines = lines
        }
        for (name, value) in try entry.member("params")?.members() ?? [] {
            run.parameters.append(.init(name, .string(try value.string())))
        }
        return run
    }

    static func faults(_ list: ScriptValue) throws(SimulationScriptError) -> [SimulatedFaultRule] {
        try list.elements().map { (entry) throws(SimulationScriptError) in try rule(entry) }
    }

    private static func rule(_ entry: ScriptValue) throws(SimulationScriptError)
        -> SimulatedFaultRule
    {
        try entry.only(
            "fault", "service", "path", "kinds", "runs", "from", "until", "fraction", "times",
            "status", "retry_after", "retry_after_date", "body", "text", "bytes", "wait")
        var rule = SimulatedFaultRule(try fault(entry))
        rule.service = try entry.member("service")?.word(SimulatedService.self)
        rule.path = try entry.member("path")?.string()
        if let kinds = entry.member("kinds") {
            rule.kinds = []
            for kind in try kinds.elements() {
                guard let known = SimulatedRequestKind(rawValue: try kind.string()) else {
                    throw kind.failure("no such kind of request")
                }
                rule.kinds?.insert(known)
            }
        }
        if let runs = entry.member("runs") {
            rule.runs = []
            for run in try runs.elements() { rule.runs?.insert(try run.string()) }
        }
        if let from = try entry.member("from")?.duration() { rule.from = from }
        rule.until = try entry.member("until")?.duration()
        if let fraction = try entry.member("fraction")?.number(0...1) { rule.fraction = fraction }
        if let times = try entry.member("times")?.integer(0...Int.max) { rule.times = times }
        return rule
    }

    private static func fault(_ entry: ScriptValue) throws(SimulationScriptError) -> SimulatedFault
    {
        guard let kind = try entry.member("fault")?.word(SimulatedFault.Kind.self) else {
            throw entry.failure("a rule has a 'fault'")
        }
        var fault = SimulatedFault(kind)
        if kind == .goingAway { fault.status = 400 }
        if let status = try entry.member("status")?.integer(200...599) { fault.status = status }
        if let seconds = try entry.member("retry_after")?.integer(0...1_000_000) {
            fault.retryAfter = .seconds(Int64(seconds))
        } else if let wait = try entry.member("retry_after_date")?.duration() {
            fault.retryAfter = .date(wait)
        }
        if let body = try entry.member("body")?.word(SimulatedFault.Body.self) { fault.body = body }
        if let text = try entry.member("text")?.string() { fault.text = text }
        if let bytes = try entry.member("bytes")?.integer(0...(1 << 40)) { fault.bytes = bytes }
        if let wait = try entry.member("wait")?.duration() { fault.wait = wait }
        return fault
    }
}
