import RunwatchTemplate
import Testing

@Suite struct TemplateCheckTests {
    static let keys = TemplateKeys.object([
        "id": .text, "type": .text, "title": .text, "free": .anything,
        "data": .object([
            "run": .text, "state": .text, "progress": .object(["done": .text, "total": .text]),
            "failed": .list(of: .text), "detail": .anything,
        ]),
        "events": .list(of: .object(["id": .text, "number": .text])),
    ])

    static func faults(_ template: String) throws -> [String] {
        try Template(template).check(keys).map(\.description)
    }

    @Test(arguments: [
        "", "no names", "{{id}}{{{data}}}{{data.run}}{{& data.progress.done }}{{! anything }}",
        "{{#data}}{{run}}{{#progress}}{{done}}{{id}}{{/progress}}{{data.run}}{{/data}}",
        "{{#events}}{{id}}{{number}}{{title}}{{data.run}}{{.}}{{/events}}{{.}}",
        "{{#data.failed}}{{.}}{{/data.failed}}{{^data.run}}{{title}}{{/data.run}}",
        "{{free.a.b}}{{#free}}{{x}}{{#y}}{{z.z}}{{/y}}{{/free}}{{data.detail.what}}",
        "{{#data.run}}{{.}}{{title}}{{/data.run}}", "{{=<% %>=}}{{nothing}}<%id%>",
    ])
    func `known keys are found as they are rendered`(_ template: String) throws {
        #expect(try TemplateCheckTests.faults(template) == [])
    }

    @Test(arguments: [
        ("{{data.rum}}", "1:1: unknown key 'data.rum'; did you mean 'data.run'?"),
        ("a\n  {{{dat.run}}}", "2:3: unknown key 'dat.run'; did you mean 'data.run'?"),
        ("{{dat.rum}}", "1:1: unknown key 'dat.rum'; did you mean 'data'?"),
        ("{{run}}", "1:1: unknown key 'run'; did you mean 'data.run'?"),
        (
            "{{progress.done}}",
            "1:1: unknown key 'progress.done'; did you mean 'data.progress.done'?"
        ),
        ("{{#data}}{{done}}{{/data}}", "1:10: unknown key 'done'; did you mean 'progress.done'?"),
        ("{{#data}}{{stat}}{{/data}}", "1:10: unknown key 'stat'; did you mean 'state'?"),
        ("{{#data}}{{titel}}{{/data}}", "1:10: unknown key 'titel'; did you mean 'title'?"),
        ("{{^Title}}{{/Title}}", "1:1: unknown key 'Title'; did you mean 'title'?"),
        ("{{banana}}", "1:1: unknown key 'banana'; known are data, events, free, id, title, type"),
        (
            "{{data.banana}}",
            "1:1: unknown key 'data.banana'; known are detail, failed, progress, run, state"
        ),
        ("{{data.run.x}}", "1:1: unknown key 'data.run.x'; 'data.run' has no keys"),
        (
            "{{events.id}}",
            "1:1: unknown key 'events.id'; 'events' is a list: its keys stand between "
                + "{{#events}} and {{/events}}"
        ),
        (
            "{{#events}}{{banana}}{{/events}}",
            "1:12: unknown key 'banana'; known are id, number, data, events, free, title, type"
        ),
        ("{{a b}}", "1:1: unknown key 'a b'; known are data, events, free, id, title, type"),
    ])
    func `an unknown key is told with its remedy`(_ template: String, _ message: String) throws {
        #expect(try TemplateCheckTests.faults(template) == [message])
    }

    @Test func `every place of an unknown key is told, but not what stands in its section`() throws
    {
        #expect(
            try TemplateCheckTests.faults("{{titel}}\n{{#nope}}{{what}}{{/nope}}\n{{titel}}") == [
                "1:1: unknown key 'titel'; did you mean 'title'?",
                "2:1: unknown key 'nope'; known are data, events, free, id, title, type",
                "3:1: unknown key 'titel'; did you mean 'title'?",
            ])
    }

    @Test func `a template of slips is told in part`() throws {
        let template = String(repeating: "{{x}}", count: 13_000)
        #expect(try TemplateCheckTests.faults(template).count == Template.maximumFaults)
    }

    @Test func `keys that are no object name nothing`() throws {
        #expect(
            try Template("{{x}}").check(.text).map(\.description) == ["1:1: unknown key 'x'"])
        #expect(try Template("{{x.y}}").check(.anything) == [])
    }
}
