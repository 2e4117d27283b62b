import RunwatchCore
import RunwatchHTTP
import RunwatchServices
import Testing

@Suite struct KineticaKindTests {
    static func kind(
        _ credentials: KineticaSettings.Credentials = .none,
        coalesce: KineticaSettings.Coalesce = .auto
    ) -> any ServiceKind {
        makeServiceKind(
            ServiceSettings(
                name: "warehouse",
                kind: .kinetica(
                    KineticaSettings(
                        credentials: credentials, coalesce: coalesce, maximumAllAnswer: 777_777)),
                url: "http://127.0.0.1:9191/gpudb-0", timeout: .seconds(11), maximumAnswer: 4444))
    }

    let kind = KineticaKindTests.kind()

    // MARK: The request

    @Test(arguments: [
        (PollScope.run("18"), #"{"run_id":"18","options":{}}"#, 4444),
        (.run("a\"b\\\u{1}é"), #"{"run_id":"a\"b\\\u0001é","options":{}}"#, 4444),
        (.tag("night\"ly"), #"{"run_id":"","options":{"run_tag":"night\"ly"}}"#, 777_777),
        (.all, #"{"run_id":"","options":{}}"#, 777_777),
    ])
    func `the request has both members in order`(_ scope: PollScope, _ body: String, _ size: Int) {
        let request = kind.request(for: scope, parameters: [:])
        #expect(request.method == .post)
        #expect(request.url == "http://127.0.0.1:9191/gpudb-0/show/proc/status")
        #expect(String(decoding: request.body, as: UTF8.self) == body)
        #expect(request.headers.map(\.name) == ["Content-Type", "Accept"])
        #expect(request.headers.map(\.value) == ["application/json", "application/json"])
        #expect(request.timeout == .seconds(11))
        #expect(request.maximumAnswer == size)
    }

    @Test func `credentials become one header`() {
        let basic = KineticaKindTests.kind(
            .basic(username: "watcher", password: Secret("pa:ss wörd")))
        #expect(
            basic.request(for: .all, parameters: [:]).headers.last.map { "\($0.name): \($0.value)" }
                == "Authorization: Basic d2F0Y2hlcjpwYTpzcyB3w7ZyZA==")
        let bearer = KineticaKindTests.kind(.bearer(Secret("ey.J0")))
        #expect(
            bearer.request(for: .all, parameters: [:]).headers.last
                .map { "\($0.name): \($0.value)" } == "Authorization: Bearer ey.J0")
    }

    @Test func `coalescing is a setting`() {
        #expect(KineticaKindTests.kind(coalesce: .auto).coalesces)
        #expect(KineticaKindTests.kind(coalesce: .always).coalesces)
        #expect(!KineticaKindTests.kind(coalesce: .never).coalesces)
    }

    @Test func `a run without an ID never asks about all runs`() {
        let request = kind.request(for: .run(""), parameters: [:])
        #expect(!String(decoding: request.body, as: UTF8.self).contains(#""run_id":"""#))
        let answer = kind.read(
            response(200, wrapped(#"{"overall_statuses":{"":"error"}}"#)), .run(""))
        #expect(answer.refusal != nil)
    }

    // MARK: Errors

    @Test(arguments: [
        "Kinetica is exiting", "Kinetica is offline", "System is offline", "System shutting down",
        "system-limited-fatal", "Connection refused", "Connection reset",
        "Unexpected end of file from server", "Unavailable: Draining HA queue",
        "Query planner is not running",
    ])
    func `a cluster that goes away is unavailable, whatever the status`(_ text: String) {
        let body = wrapped("", status: "ERROR", message: "Error: \(text) (rank 0)")
        for status in [200, 400, 401, 404, 500] {
            for scope in [PollScope.run("18"), .tag("t"), .all] {
                let answer = kind.read(response(status, body), scope)
                #expect(answer.reason == .unavailable)
                #expect(answer.failureMessage == "Error: \(text) (rank 0)")
            }
        }
    }

    @Test func `an error about one run refuses that watch, about many fails the service`() {
        let body = wrapped("", status: "ERROR", message: "Invalid run_id: x")
        for status in [200, 400] {
            #expect(
                kind.read(response(status, body), .run("x")) == .refused("Invalid run_id: x"))
            for scope in [PollScope.tag("t"), .all] {
                let answer = kind.read(response(status, body), scope)
                #expect(answer.reason == .refused)
                #expect(answer.failureMessage == "Invalid run_id: x")
            }
        }
        let silent = wrapped("", status: "ERROR")
        #expect(
            kind.read(response(200, silent), .run("x"))
                == .refused("the service answers ERROR without a reason"))
    }

    @Test func `refused credentials are the service's`() {
        let body = wrapped("", status: "ERROR", message: "Insufficient credentials")
        for status in [200, 400, 401, 403, 500] {
            #expect(kind.read(response(status, body), .run("18")).reason == .unauthorized)
        }
        for body in ["", "<html>", #"{"a": 1}"#, wrapped("", status: "ERROR", message: "no")] {
            #expect(kind.read(response(401, body), .run("18")).reason == .unauthorized)
            #expect(kind.read(response(403, body), .all).reason == .unauthorized)
        }
    }

    @Test(arguments: [
        (408, PollFailureReason.timeout), (429, .throttled), (500, .unavailable),
        (502, .unavailable), (503, .unavailable), (504, .unavailable), (301, .refused),
        (404, .refused), (405, .refused), (204, .refused), (0, .refused),
    ])
    func `other statuses are the service's failures`(_ status: Int, _ reason: PollFailureReason) {
        let bodies = [
            "", "<html>busy</html>", wrapped("{}", status: "ERROR", message: "busy"),
            // Even an answer that looks good counts under status 200 alone.
            wrapped(#"{"overall_statuses":{"18":"complete"}}"#), "{", "[]", "\u{0}",
        ]
        let hint = RetryHint.at(Timestamp(milliseconds: 5))
        for body in bodies {
            let answer = kind.read(response(status, body, retryAfter: hint), .run("18"))
            guard case .failed(let found, let message, let retry) = answer else {
                Issue.record("HTTP \(status) with \(body): \(answer)")
                continue
            }
            #expect(found == reason)
            #expect(message.hasPrefix("HTTP \(status)"))
            #expect(retry == hint)
        }
    }

    @Test func `404 points at the path and at old servers`() {
        let body = wrapped("", status: "ERROR", message: "Unknown URI")
        #expect(
            kind.read(response(404, body), .run("18")).failureMessage
                == "HTTP 404: Unknown URI; check the path of the service's url; "
                + "servers before 5.4 have no such answer")
    }

    @Test func `400 that is not the database's own is the service's failure`() {
        for body in ["<html>plain HTTP to an SSL port</html>", "", #"{"message": "Bad"}"#] {
            #expect(kind.read(response(400, body), .run("18")).reason == .refused)
        }
    }

    @Test func `a web page is never an answer`() {
        let good = wrapped(#"{"overall_statuses":{"18":"complete"}}"#)
        #expect(
            kind.read(response(200, good, contentType: "text/html"), .run("18")).reason
                == .unreadable)
        #expect(
            kind.read(response(200, good, contentType: "text/plain"), .run("18")).observation?
                .finding == .state(.complete))
        let page = kind.read(response(200, "<html>", contentType: ""), .all)
        #expect(page.failureMessage?.contains("web page") == true)
    }

    @Test(arguments: [
        "", "[]", "null", "{}", #"{"status": "OK"}"#, #"{"status": "OK", "data_str": null}"#,
        #"{"status": "OK", "data_str": {"overall_statuses": {}}}"#,
        #"{"data_str": "{\"overall_statuses\":{}}"}"#,
        #"{"status": null, "data_str": "{\"overall_statuses\":{}}"}"#,
        #"{"status": "FINE", "data_str": "{\"overall_statuses\":{}}"}"#,
        #"{"status": "OK", "data_str": "{\"overall_statuses\":{}}", "data_str": 1}"#,
        wrapped(""), wrapped("{}"), wrapped("[]"), wrapped("null"), wrapped("{"),
        wrapped(#"{"overall_statuses": null}"#), wrapped(#"{"overall_statuses": []}"#),
        wrapped(#"{"overall_statuses": "complete"}"#),
        wrapped(#"{"overall_statuses": {"18": 5}}"#),
        wrapped(#"{"overall_statuses": {"18": null}}"#),
        wrapped(#"{"statuses": {"18": {"0": "complete"}}}"#),
        wrapped(#"{"overall_statuses": {"18": "complete"}} x"#),
        wrapped(#"{"overall_statuses": {"18": "complete"}, "output": {"18": }}"#),
        wrapped(#"{"overall_statuses": {"18": "complete"}}"#) + "}",
    ])
    func `an answer that does not follow the protocol is unreadable`(_ body: String) {
        let answer = kind.read(response(200, body), .run("18"))
        #expect(answer.reason == .unreadable, "\(answer)")
    }

    @Test func `credentials never come back out`() {
        let forms: [(KineticaSettings.Credentials, [String])] = [
            (
                .basic(username: "watcher", password: Secret("open-sesame")),
                ["open-sesame", "d2F0Y2hlcjpvcGVuLXNlc2FtZQ=="]
            ),
            (.bearer(Secret("token-0123456789")), ["token-0123456789"]),
        ]
        for (credentials, secrets) in forms {
            let kind = KineticaKindTests.kind(credentials)
            for secret in secrets {
                let content =
                    #"{"overall_statuses":{"18":"\#(secret)"},"statuses":{"18":{"\#(secret)":"#
                    + #""\#(secret)"}},"messages":{"18":{"0":"is \#(secret)"}},"#
                    + #""proc_names":{"18":"\#(secret)"},"options":{"18":{"run_tag":"\#(secret)"}}}"#
                let bodies = [
                    wrapped("", status: "ERROR", message: "header was Basic \(secret)"),
                    wrapped(content), wrapped("", status: secret),
                ]
                for status in [200, 400, 401, 404, 500] {
                    for body in bodies {
                        for text in kind.read(response(status, body), .run("18")).texts {
                            #expect(!text.contains(secret))
                        }
                    }
                }
            }
        }
    }
}
