/// What came back from one live poll of a service, made to find out whether it is well configured.
package struct ServiceProbe: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// A good answer.
        case up
        /// The service is well, and refuses what was asked about this run.
        case refused
        case failed(PollFailureReason)
        /// There is no run to ask about.
        case notAsked
        /// A credential is needed that only the service's own process is given.
        case noCredential

        package var name: String {
            switch self {
            case .up: "up"
            case .refused: "refused"
            case .failed: "failed"
            case .notAsked: "not_asked"
            case .noCredential: "no_credential"
            }
        }
    }

    package var service: String
    package var kind: String
    package var outcome: Outcome
    /// The run that was asked about; `nil` when it was all of them, or those with a tag.
    package var run: String?
    /// The HTTP status, when an answer came.
    package var status: Int?
    /// From the request to the end of the answer.
    package var duration: Duration?
    /// For people; may hold the service's own words, cleaned of secrets.
    package var message: String

    package init(
        service: String, kind: String, outcome: Outcome, run: String? = nil, status: Int? = nil,
        duration: Duration? = nil, message: String
    ) {
        self.service = service
        self.kind = kind
        self.outcome = outcome
        self.run = run
        self.status = status
        self.duration = duration
        self.message = message
    }

    /// Whether nothing is wrong, as far as can be known: a service that nobody watches is fine.
    package var isFine: Bool { outcome == .up || outcome == .notAsked }
}
