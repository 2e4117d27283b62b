import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Testing

@testable import RunwatchDelivery

@Suite struct AnswerTextTests {
    static let url = "https://hooks.example.com/services/T0P-SECRET/x%2Dy%20z?key=K3Y-K3Y-K3Y&n=1"
    private let answers = AnswerText(
        hiding: Secret(url), [Secret("whsec_MDEyMzQ1"), Secret("Bearer tk_abcdef")])

    private func text(_ body: String) -> String {
        answers.of(HTTPResponse(status: 500, body: Array(body.utf8)))
    }

    @Test(arguments: [
        url, "hooks.example.com/services/T0P-SECRET/x%2Dy%20z",
        "Cannot POST /services/T0P-SECRET/x%2Dy%20z", #"https:\/\/e\/T0P-SECRET\/x"#,
        "no K3Y-K3Y-K3Y", "no 'x-y z' here", "whsec_MDEyMzQ1", "MDEyMzQ1", "Bearer tk_abcdef",
        "token tk_abcdef is bad",
    ])
    func `no part of a secret is shown`(body: String) {
        let shown = text(body) + answers.of(HTTPFailure(.connect, body))
        for secret in ["T0P", "K3Y", "x-y", "x%2D", "MDEy", "tk_"] {
            #expect(!shown.contains(secret))
        }
        #expect(shown.contains("***"))
    }

    @Test func `the host is no secret`() {
        let failure = HTTPFailure(.name, "hooks.example.com does not resolve")
        #expect(answers.of(failure) == "hooks.example.com does not resolve")
        let bare = AnswerText(hiding: Secret("https://ntfy.example.com"), [])
        #expect(bare.of(HTTPFailure(.name, "ntfy.example.com?")) == "ntfy.example.com?")
    }

    @Test func `a secret is hidden however often it is repeated`() {
        let shown = text(String(repeating: Self.url, count: 600))
        #expect(!shown.contains("T0P") && shown.utf8.count <= 230)
    }

    @Test func `a status before a failure is told`() {
        #expect(
            answers.of(HTTPFailure(.interrupted, "the connection ended", status: 503))
                == "HTTP 503, but the connection ended")
    }

    private static let kinds: [ReceiverSettings.Kind] =
        ChatSettings.Service.allCases.map { .chat(MessageSamples.chat($0)) }
        + [WebhookSettings.Format.standard, .cloudEvents].map { format in
            .webhook(
                WebhookSettings(
                    url: Secret("https://chat.example.com/services/T0000/S3CR3T-PATH"),
                    secrets: [Secret("whsec_S1GN1NG0")], format: format,
                    headers: [HeaderSettings("authorization", .secret(Secret("Bearer H34D3R-X")))]))
        }

    @Test(arguments: 0..<kinds.count)
    func `no receiver shows a secret, whatever it is answered`(index: Int) async {
        // What the receiver knows besides, and does not send.
        let isWebhook = Self.kinds[index].name == "webhook"
        let words = isWebhook ? "whsec_S1GN1NG0 S1GN1NG0 H34D3R-X" : "T0PIC-NAMEx tk_T0KENx"
        let echo = ScriptedEnd { seen in
            .status(
                400,
                "\(seen.url) \(seen.headers.sorted { $0.key < $1.key }) "
                    + String(decoding: seen.body.prefix(80), as: UTF8.self)
                    + " /services/T0000/S3CR3T-PATH \(words)")
        }
        let delivery = MessageSamples.delivery(MessageSamples.run())
        let result = await MessageSamples.attempt(Self.kinds[index], delivery, echo)
        let failing = ScriptedEnd { seen in
            .failure(HTTPFailure(.connect, "\(seen.url) \(seen.headers)"))
        }
        let failed = await MessageSamples.attempt(Self.kinds[index], delivery, failing)
        for message in [result.message, failed.message] {
            let kept = isWebhook ? ["S1GN", "H34D"] : []
            let published = Self.kinds[index].name == "ntfy" ? ["T0PIC", "T0KEN"] : []
            for secret in ["S3CR3T"] + kept + published { #expect(!message.contains(secret)) }
            #expect(message.utf8.count <= 500)
        }
    }

    @Test func `a status decides, whatever became of the body`() async {
        let delivery = MessageSamples.delivery(MessageSamples.run())
        for (status, outcome) in [
            (204, DeliveryMachine.Outcome.delivered), (410, .refusedForGood),
            (503, .later(hint: nil)),
        ] {
            let end = ScriptedEnd { _ in
                .failure(HTTPFailure(.interrupted, "the connection ended", status: status))
            }
            let result = await MessageSamples.attempt(Self.kinds[0], delivery, end)
            #expect(result.outcome == outcome && result.status == status)
        }
    }
}
