package import RunwatchCore
package import RunwatchHTTP

/// What a probe asks of one service: the first request that the daemon would make after a start.
package struct ProbePlan: Sendable {
    package let service: ServiceSettings
    /// What to ask; `nil` when there is nothing to ask about.
    package let scope: PollScope?
    /// The first listed watch; `nil` for none.
    private let first: WatchSpec?
    /// The first discovery's tag; `nil` for none.
    private let tag: String?
    /// The runs that are watched, if an answer about many is to be counted by them.
    private let watched: Set<ExactText>
    private let kind: any ServiceKind

    /// A plan for each service, in the order of the configuration.
    package static func plans(_ configuration: Configuration) -> [ProbePlan] {
        var watches: [String: [WatchSpec]] = [:]
        for watch in configuration.watches {
            watches[watch.name.service, default: []].append(watch)
        }
        return configuration.services.map { service in
            ProbePlan(
                service, watches: watches[service.name] ?? [],
                discoveries: configuration.discoveries.filter { $0.service == service.name })
        }
    }

    /// - Parameters:
    ///   - watches: The service's own, in the order of the lists.
    ///   - discoveries: The service's own.
    package init(
        _ service: ServiceSettings, watches: [WatchSpec], discoveries: [DiscoverySpec]
    ) {
        self.service = service
        kind = makeServiceKind(service)
        first = watches.first
        tag = discoveries.first?.runTag
        scope = ProbePlan.scope(service, kind, watches, discoveries)
        watched = scope == .all ? Set(watches.map { ExactText($0.run) }) : []
    }

    private static func scope(
        _ service: ServiceSettings, _ kind: any ServiceKind, _ watches: [WatchSpec],
        _ discoveries: [DiscoverySpec]
    ) -> PollScope? {
        let settings = watches.first?.settings ?? discoveries.first?.settings
        // Nobody watches anything there; a service that can tell of all its runs answers all the same.
        guard let settings else { return kind.coalesces ? .all : nil }
        // How many single polls the request replaces within the first one's interval, as the daemon
        // counts them.
        let interval = settings.poll.initial.inSeconds
        let polls = watches.reduce(0.0) { $0 + interval / $1.settings.poll.initial.inSeconds }
        if kind.coalesces,
            CoalescingMachine(service.coalesce).choosesAll(
                replacing: polls + Double(discoveries.count))
        {
            return .all
        }
        return discoveries.first.map { .tag($0.runTag) } ?? watches.first.map { .run($0.run) }
    }

    /// The request; `parameters` are the first watch's.
    package func request(for scope: PollScope) -> HTTPRequest {
        var parameters: [String: String] = [:]
        if case .run = scope { parameters = first?.parameters ?? [:] }
        return kind.request(for: scope, parameters: parameters)
    }

    /// What to ask when the service is well and does not answer about many runs at once.
    package func next(after probe: ServiceProbe, of scope: PollScope) -> PollScope? {
        guard case .failed(let reason) = probe.outcome, scope == .all,
            scope.isTooCommon(reason, at: service)
        else { return nil }
        return first.map { .run($0.run) } ?? tag.map { .tag($0) }
    }

    // MARK: What came back

    /// A service that is not asked, and why.
    package func unasked(_ outcome: ServiceProbe.Outcome, _ why: String) -> ServiceProbe {
        ServiceProbe(
            service: service.name, kind: service.kind.name, outcome: outcome, message: why)
    }

    /// What an answer, or the lack of one, means: as the daemon reads it.
    package func judge(
        _ result: Result<HTTPResponse, HTTPFailure>, of scope: PollScope, after spent: Duration
    ) -> ServiceProbe {
        var probe = ServiceProbe(
            service: service.name, kind: service.kind.name, outcome: .up, duration: spent,
            message: "")
        if case .run(let run) = scope { probe.run = run }
        switch result {
        case .failure(let failure):
            probe.outcome = .failed(PollFailureReason(failure.code) ?? .connection)
            probe.status = failure.status
            probe.message = failure.message
        case .success(let response):
            probe.status = response.status
            read(response, of: scope, into: &probe)
        }
        return probe
    }

    private func read(
        _ response: HTTPResponse, of scope: PollScope, into probe: inout ServiceProbe
    ) {
        switch kind.read(response, scope: scope, wanted: { watched.contains(ExactText($0)) }) {
        case .observations(let observations):
            probe.message = words(observations, scope)
        case .refused(let message):
            probe.outcome = .refused
            probe.message = message
        case .failed(let reason, let message, let hint):
            probe.outcome = .failed(reason)
            probe.message = message
            // Not every kind's refusal says so itself.
            let remedy = "check the service's credentials"
            if reason == .unauthorized, !message.hasSuffix(remedy) {
                probe.message += message.isEmpty ? remedy : "; \(remedy)"
            }
            if case .after(let wait) = hint {
                probe.message += "; it asks to wait \(DurationText.format(wait))"
            }
        }
    }

    private func words(_ observations: [RunObservation], _ scope: PollScope) -> String {
        let count = "\(observations.count) run\(observations.count == 1 ? "" : "s")"
        switch scope {
        case .run(let run): return ProbePlan.words(observations.first, run)
        case .tag(let tag): return "\(count) with the tag '\(tag)'"
        case .all:
            guard !watched.isEmpty else { return count }
            let found = observations.count { observation in
                observation.observation.finding != .notFound
                    && watched.contains(ExactText(observation.run))
            }
            return "\(count), among them \(found) of \(watched.count) watched"
        }
    }

    private static func words(_ observation: RunObservation?, _ run: String) -> String {
        if let word = observation?.unknownWord {
            return "run \(run) is '\(word)', a state not known"
        }
        switch observation?.observation.finding {
        case .state(let state): return "run \(run) is \(state.name)"
        case .notFound: return "run \(run) is not found"
        case .nothing, nil: return "run \(run) has no state yet"
        }
    }
}
