package import RunwatchCore
package import RunwatchHTTP

/// Kinetica: one request for one run, for a tag or for all runs.
package struct KineticaKind: ServiceKind {
    private let url: String
    private let settings: KineticaSettings
    private let timeout: Duration
    private let maximumAnswer: Int

    package init(_ service: ServiceSettings, _ settings: KineticaSettings) {
        url = service.url + "/show/proc/status"
        self.settings = settings
        timeout = service.timeout
        maximumAnswer = service.maximumAnswer
    }

    package var coalesces: Bool { settings.coalesce != .never }

    package func request(for scope: PollScope, parameters: [String: String]) -> HTTPRequest {
        HTTPRequest(url: url, timeout: timeout, maximumAnswer: maximumAnswer)
    }

    package func read(
        _ response: HTTPResponse, scope: PollScope, wanted: (String) -> Bool
    ) -> PollAnswer {
        .failed(.unreadable, message: "", retryAfter: nil)
    }
}
