import RunwatchControl
import RunwatchCore
import Testing

@Suite struct ReportTextTests {
    @Test func `a check tells every fault, then how it is`() {
        let good = ConfigurationCheck(
            diagnostics: [
                Diagnostic(severity: .warning, file: "a", line: 1, column: 2, message: "hm")
            ], services: 1, receivers: 2, watches: 3, discoveries: 4)
        #expect(
            ReportText.check(good)
                == "a:1:2: warning: hm\n1 service, 2 receivers, 3 watches, 4 discoveries: ok\n")
        #expect(
            String(decoding: good.json, as: UTF8.self)
                == #"{"ok":true,"errors":[],"warnings":["a:1:2: warning: hm"],"#
                + #""services":1,"receivers":2,"watches":3,"discoveries":4}"#)
        let bad = ConfigurationCheck(
            diagnostics: [Diagnostic(file: "a", line: 1, column: 2, message: "no\u{1B}")],
            services: 0, receivers: 0, watches: 0)
        #expect(ReportText.check(bad) == "a:1:2: no\\u{1b}\n1 error\n")
        #expect(
            String(decoding: bad.json, as: UTF8.self)
                == #"{"ok":false,"errors":["a:1:2: no\u001b"],"warnings":[]}"#)
    }

    @Test func `a reload tells what changed`() {
        #expect(
            ReportText.reload(ReloadView(isOK: true, changed: 3, warnings: ["w"]))
                == "w\nreloaded: watches 3 changed\n")
        #expect(ReportText.reload(ReloadView(isOK: true)) == "reloaded: no watch changed\n")
    }
}
