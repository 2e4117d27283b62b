package import RunwatchCore
package import RunwatchHTTP

/// What one request asks about.
package enum PollScope: Hashable, Sendable {
    /// One run, by its ID.
    case run(String)
    /// Every run with that tag (Kinetica's `run_tag`).
    case tag(String)
    /// Every run that the service shows.
    case all
}

/// How one kind of service is asked, and how its answers are read.
///
/// A value without a clock: the same answer always reads the same.
package protocol ServiceKind: Sendable {
    /// Whether one request may serve many watches (`tag`, `all`).
    var coalesces: Bool { get }

    /// The request for a scope; `parameters` are the watch's own (empty for `tag` and `all`).
    func request(for scope: PollScope, parameters: [String: String]) -> HTTPRequest

    /// Reads an answer, whatever its HTTP status.
    ///
    /// - Parameter wanted: For `all` and `tag`, tells whether a run is followed; the details of others
    ///   are skipped.
    func read(_ response: HTTPResponse, scope: PollScope, wanted: (String) -> Bool) -> PollAnswer
}

/// What an answer means for the runs that were asked about, or for the service.
package enum PollAnswer: Equatable, Sendable {
    /// A good answer.
    ///
    /// For `.run`, exactly one entry, under the ID asked. For `tag` and `all`, one entry for every run in
    /// the answer, each once: also for those not wanted, with finding and tag only, since discovery
    /// needs them (but for IDs that no one could write down, see `KineticaRuns`). A run that is missing
    /// is not found.
    case observations([RunObservation])
    /// This request is wrong for this run alone: never a state, never the service's fault.
    ///
    /// The text is for `last_error`.
    case refused(String)
    /// The service failed: nothing is known of any run.
    case failed(PollFailureReason, message: String, retryAfter: RetryHint?)
}

/// What an answer says about one run.
package struct RunObservation: Equatable, Sendable {
    package var run: String
    package var observation: Observation
    /// Kinetica's `run_tag` in `options`, when given.
    package var tag: String?
    /// A status word that is not known: no change, and the caller warns once per word.
    package var unknownWord: String?

    package init(
        run: String, observation: Observation, tag: String? = nil, unknownWord: String? = nil
    ) {
        self.run = run
        self.observation = observation
        self.tag = tag
        self.unknownWord = unknownWord
    }
}

/// The kind that a service is configured as.
package func makeServiceKind(_ settings: ServiceSettings) -> any ServiceKind {
    switch settings.kind {
    case .krixik(let krixik): KrixikKind(settings, krixik)
    case .kinetica(let kinetica): KineticaKind(settings, kinetica)
    }
}

extension ServiceSettings {
    /// The URL of an endpoint; `path` begins with a slash.
    func url(of path: String) -> String {
        var base = Substring(url)
        while base.hasSuffix("/") { base.removeLast() }
        return base + path
    }
}
