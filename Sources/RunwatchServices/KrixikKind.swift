package import RunwatchCore
package import RunwatchHTTP

/// Krixik: one request a run, and its module map.
package struct KrixikKind: ServiceKind {
    private let url: String
    private let settings: KrixikSettings
    private let timeout: Duration
    private let maximumAnswer: Int

    package init(_ service: ServiceSettings, _ settings: KrixikSettings) {
        url = service.url + "/krixik-core-process-status"
        self.settings = settings
        timeout = service.timeout
        maximumAnswer = service.maximumAnswer
    }

    package var coalesces: Bool { false }

    package func request(for scope: PollScope, parameters: [String: String]) -> HTTPRequest {
        HTTPRequest(url: url, timeout: timeout, maximumAnswer: maximumAnswer)
    }

    package func read(
        _ response: HTTPResponse, scope: PollScope, wanted: (String) -> Bool
    ) -> PollAnswer {
        .failed(.unreadable, message: "", retryAfter: nil)
    }
}
