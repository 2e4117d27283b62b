import RunwatchCore
import RunwatchTemplate
import Testing

@Suite struct TemplateHostileTests {
    @Test(arguments: [
        "{{#a}}", "{{^a}}", "{{/a}}", "{{a}}", "{{#a}}{{/a}}", " ", "\n", "{{!}}", "{", "{{=",
    ])
    func `a template of one thing as long as allowed is read at once`(_ part: String) throws {
        let text = String(repeating: part, count: Template.maximumLength / part.utf8.count)
        let clock = ContinuousClock()
        let time = clock.measure {
            guard let template = try? Template(text) else { return }
            _ = template.check(.object(["b": .text]))
            _ = try? template.render(.object([]), escape: .html, limit: 1 << 20)
        }
        // It takes milliseconds; what is quadratic takes a minute.
        #expect(time < .seconds(10))
    }

    @Test func `one delimiter sign makes the deepest template`() throws {
        let text = "{{=| |=}}" + String(repeating: "|#a|", count: 16_000)
        #expect(fault(text)?.message == "sections are nested deeper than 64")
    }

    @Test(arguments: ["{{.}}", ""])
    func `sections over lists that multiply are stopped`(_ body: String) throws {
        let list = JSONValue.array((0..<100).map { .integer($0) })
        let depth = 12
        let text =
            String(repeating: "{{#list}}", count: depth) + body
            + String(repeating: "{{/list}}", count: depth)
        #expect(throws: Template.RenderError.self) {
            try Template(text).render(
                .object([.init("list", list)]), escape: .none, limit: 1 << 20)
        }
    }

    @Test func `a thousand events in a long template are not too much`() throws {
        let event = JSONValue.object((0..<30).map { .init("key\($0)", .string("value")) })
        let value = JSONValue.object([.init("events", .array(Array(repeating: event, count: 1000)))]
        )
        let text = "{{#events}}" + (0..<60).map { "{{key\($0 % 30)}} " }.joined() + "{{/events}}"
        let output = try Template(text).render(value, escape: .html, limit: 1 << 20)
        #expect(output.utf8.count == 360_000)
    }

    static let values = [
        "", "\"", "\\", "\\\"", "\u{0}\u{1}\u{1F}\u{7F}", "\n\r\t", "\u{2028}\u{2029}", "{{x}}",
        "{{{",
        "}},{\"a\":1", "é😀e\u{301}\u{FEFF}\u{FFFF}\u{10FFFF}", "</script>", "null", "-1e999",
        String(repeating: "\u{0}\"", count: 50_000),
    ]

    @Test(arguments: values)
    func `a JSON body is JSON whatever the value`(_ value: String) throws {
        let event = JSONValue.object([
            .init("v", .string(value)), .init("l", .array([.string(value), .null])),
            .init(value, .bool(true)),
        ])
        let body = try Template(
            """
            {"text": "{{v}}", "event": {{{.}}}, "shown": "{{.}}",
             "list": [{{#l}}"{{.}}", {{/l}}null]{{! end }}
             {{#v}}, "more": "<{{v}}>"{{/v}}
            }
            """
        ).render(event, escape: .json, limit: 4 << 20)
        let parsed = try JSONValue(parsing: body)
        #expect(parsed["text"] == .string(value))
        #expect(parsed["event"] == event)
        #expect(parsed["shown"] == .string(event.text))
        #expect(parsed["list"] == .array([.string(value), .string(""), .null]))
        #expect(parsed["more"] == (value.isEmpty ? nil : .string("<\(value)>")))
    }

    @Test func `a value is never read as a template`() throws {
        #expect(
            try rendered("{{v}}{{{v}}}", #"{"v":"{{w}}{{#w}}","w":1}"#) == "{{w}}{{#w}}{{w}}{{#w}}")
    }

    static let parts = [
        "{{", "}}", "{{{", "}}}", "{", "}", "#", "^", "/", "&", "!", ">", "=", " ", "\t", "\n",
        "\r\n",
        "\r", "a", "b.c", ".", "é", "😀", "\u{0}", "<%", "%>", "|", "{{#a}}", "{{/a}}", "{{^b}}",
        "{{/b}}", "{{#l}}", "{{/l}}", "{{a}}", "{{{b.c}}}", "{{.}}", "{{! x }}", "{{=<% %>=}}",
        "<%={{ }}=%>", "{{=| |=}}", "|#a|", "|/a|",
    ]

    @Test(arguments: 0..<20)
    func `random templates parse or have a fault at a place`(_ round: Int) throws {
        var generator = SeededGenerator(seed: UInt64(7_000 + round))
        let value = try JSONValue(parsing: #"{"a":true,"b":{"c":"<\"é"},"l":[1,{"a":""},[],"x"]}"#)
        var parsed = 0
        for _ in 0..<100 {
            var text = ""
            for _ in 0..<Int.random(in: 1...30, using: &generator) {
                text += TemplateHostileTests.parts.randomElement(using: &generator) ?? ""
            }
            let template: Template
            do {
                template = try Template(text)
            } catch {
                let lines = TemplateFaultTests.lines(text.unicodeScalars)
                let length = lines.indices.contains(error.line - 1) ? lines[error.line - 1] : -1
                #expect(
                    (1...max(1, length)).contains(error.column),
                    "\(error) in \(text.debugDescription)")
                continue
            }
            parsed += 1
            for escape in [Template.Escape.none, .json, .html, .uri] {
                let output = try template.render(value, escape: escape, limit: 1 << 20)
                #expect(try template.render(value, escape: escape, limit: 1 << 20) == output)
            }
            _ = template.check(.object(["a": .text, "l": .list(of: .object(["c": .text]))]))
        }
        // Else nothing but faults would be tried.
        #expect(parsed > 5)
    }
}
