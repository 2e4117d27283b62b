import RunwatchControl
import RunwatchCore
import Testing

@Suite struct ReportTextTests {
    private func json(_ check: ConfigurationCheck) -> String {
        var bytes: [UInt8] = []
        check.writeJSON {
            bytes += $0
            return true
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `a check tells every fault, then how it is`() {
        let good = ConfigurationCheck(
            diagnostics: [
                Diagnostic(severity: .warning, file: "a", line: 1, column: 2, message: "hm")
            ], services: 1, receivers: 2, watches: 3, discoveries: 4)
        #expect(
            ReportText.check(good)
                == "a:1:2: warning: hm\n"
                + "1 service, 2 receivers, 3 watches, 4 discoveries: ok, 1 warning\n")
        #expect(
            json(good)
                == #"{"ok":true,"errors":[],"warnings":["a:1:2: warning: hm"],"#
                + #""services":1,"receivers":2,"watches":3,"discoveries":4}"#)
        let bad = ConfigurationCheck(
            diagnostics: [Diagnostic(file: "a", line: 1, column: 2, message: "no\u{1B}")],
            warningCount: 2, services: 0, receivers: 0, watches: 0)
        #expect(ReportText.check(bad) == "a:1:2: no\\u{1b}\n1 error, 2 warnings\n")
        #expect(json(bad) == #"{"ok":false,"errors":["a:1:2: no\u001b"],"warnings":[]}"#)
    }

    @Test func `the count of errors is that of all, not of those that are told`() {
        let check = ConfigurationCheck(
            diagnostics: [Diagnostic(file: "a", line: 0, column: 0, message: "and 249 more")],
            errorCount: 250, services: 0, receivers: 0, watches: 0)
        #expect(ReportText.check(check).hasSuffix("\n250 errors\n"))
        #expect(!check.isOK)
    }

    @Test func `a probe that failed makes a right configuration no success`() {
        let down = ServiceProbe(
            service: "s", kind: "krixik", outcome: .failed(.timeout), run: "1",
            duration: .milliseconds(300), message: "too slow")
        var check = ConfigurationCheck(
            diagnostics: [], services: 1, receivers: 1, watches: 0, probes: [down])
        #expect(check.isRight && !check.isOK)
        #expect(
            json(check).hasSuffix(
                #""probes":[{"service":"s","kind":"krixik","outcome":"failed","reason":"timeout","#
                    + #""run":"1","duration":"300ms","message":"too slow"}]}"#))
        check.probes = [
            ServiceProbe(service: "s", kind: "krixik", outcome: .notAsked, message: "no watch")
        ]
        #expect(check.isOK)
    }

    @Test func `a reload tells what changed`() {
        #expect(
            ReportText.reload(ReloadView(isOK: true, changed: 3, warnings: ["w"]))
                == "w\nreloaded: watches 3 changed\n")
        #expect(ReportText.reload(ReloadView(isOK: true)) == "reloaded: no watch changed\n")
    }
}
