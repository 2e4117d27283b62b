import RunwatchCore
import RunwatchTemplate
import Testing

/// Parses and renders in one step; values are JSON.
func rendered(
    _ template: String, _ json: String, _ escape: Template.Escape = .none, limit: Int = 1 << 20
) throws -> String {
    try Template(template).render(try JSONValue(parsing: json), escape: escape, limit: limit)
}

@Suite struct TemplateTests {
    static let value = #"""
        {"text":"T","empty":"","yes":true,"no":false,"nothing":null,"none":[],"zero":0,"blank":{},
        "list":["a","b"],"object":{"inner":"I","text":"O"},"people":[{"name":"x"},{"name":"y"}],
        "deep":{"er":{"est":"D"}},"nested":[[1,2],[3]],"number":-1.5,"large":9007199254740993}
        """#

    @Test(arguments: [
        ("", ""), ("plain\n text\r\n", "plain\n text\r\n"), ("a{{text}}b", "aTb"),
        ("{{ text }}{{\ttext\n}}", "TT"), ("{{missing}}|{{nothing}}|{{empty}}", "||"),
        ("{{yes}} {{no}} {{zero}} {{number}}", "true false 0 -1.5"),
        ("{{large}}", "9007199254740993"),
        ("{{deep.er.est}} {{deep.er.no}} {{text.length}} {{deep.no.est}}", "D   "),
        ("{{list}} {{object}} {{none}}", #"["a","b"] {"inner":"I","text":"O"} []"#),
        ("{ {text} } }} {", "{ {text} } }} {"), ("{{{text}}}}", "T}"), ("é{{text}}😀", "éT😀"),
    ])
    func `variables are replaced`(_ template: String, _ output: String) throws {
        #expect(try rendered(template, TemplateTests.value) == output)
    }

    @Test(arguments: [
        ("{{#yes}}x{{/yes}}{{#no}}y{{/no}}", "x"), ("{{#text}}[{{.}}]{{/text}}", "[T]"),
        ("{{#list}}{{.}},{{/list}}", "a,b,"), ("{{#people}}{{name}}{{text}}{{/people}}", "xTyT"),
        ("{{#object}}{{inner}}{{text}}{{number}}{{/object}}", "IO-1.5"),
        ("{{#deep.er}}{{est}}{{/deep.er}}", "D"),
        ("{{#nested}}({{#.}}{{.}}{{/.}}){{/nested}}", "(12)(3)"),
        ("{{#zero}}{{.}}{{/zero}}{{#blank}}b{{/blank}}", "0b"),
        (
            "{{#empty}}e{{/empty}}{{#none}}n{{/none}}{{#nothing}}0{{/nothing}}{{#missing}}m{{/missing}}",
            ""
        ),
        ("{{#yes}}{{#yes}}{{#no}}x{{/no}}y{{/yes}}{{/yes}}", "y"),
        ("{{# yes }}x{{/ yes }}", "x"), ("{{#list}}{{/list}}", ""),
    ])
    func `sections repeat, enter or leave out`(_ template: String, _ output: String) throws {
        #expect(try rendered(template, TemplateTests.value) == output)
    }

    @Test(arguments: [
        ("{{^no}}n{{/no}}{{^yes}}y{{/yes}}", "n"), ("{{^empty}}e{{/empty}}", "e"),
        ("{{^none}}0{{/none}}{{^list}}1{{/list}}", "0"), ("{{^nothing}}{{text}}{{/nothing}}", "T"),
        ("{{^missing}}m{{/missing}}{{^zero}}z{{/zero}}{{^blank}}b{{/blank}}", "m"),
        ("{{#object}}{{^no}}{{inner}}{{/no}}{{/object}}", "I"),
    ])
    func `inverted sections stand for what is false`(_ template: String, _ output: String) throws {
        #expect(try rendered(template, TemplateTests.value) == output)
    }

    /// The first part is looked up outwards, the others below it alone.
    @Test func `dotted names do not fall back to an outer context`() throws {
        let value = #"{"a":{"b":"outer"},"in":{"a":{"c":1}}}"#
        #expect(try rendered("{{#in}}[{{a.b}}]{{/in}}{{a.b}}", value) == "[]outer")
    }

    @Test func `of two members with one name the last one counts`() throws {
        #expect(try rendered("{{a}}", #"{"a":1,"a":2}"#) == "2")
    }

    @Test(arguments: [
        ("a{{! any {{ thing }}b", "ab"), ("{{!}}x", "x"), ("{{! two\nlines }}x", "x"),
        ("{{=<% %>=}}<% text %>{{text}}", "T{{text}}"), ("{{=| |=}}|text|{{text}}", "T{{text}}"),
        ("{{=<% %>=}}<%={{ }}=%>{{text}}", "T"), ("{{= $ $ =}}$&text$", "T"),
        ("{{=# @=}}##yes@x#/yes@", "x"), ("{{=^/ /^=}}^/#yes/^x^//yes/^", "x"),
        ("{{=<% %>=}}<%#yes%>{{{x}}}<%/yes%>", "{{{x}}}"),
    ])
    func `comments vanish and delimiters change`(_ template: String, _ output: String) throws {
        #expect(try rendered(template, TemplateTests.value) == output)
    }

    @Test(arguments: [
        ("a\n{{! c }}\nb\n", "a\nb\n"), ("a\r\n  {{! c }}\t\r\nb", "a\r\nb"),
        ("{{#yes}}\nx\n{{/yes}}\ny\n", "x\ny\n"), ("{{#no}}\nx\n{{/no}}\ny\n", "y\n"),
        ("{{#list}}\n- {{.}}\n{{/list}}\n", "- a\n- b\n"), ("a\n  {{^no}}\nb\n  {{/no}}", "a\nb\n"),
        ("a\n{{=<% %>=}}\n<%text%>\n", "a\nT\n"), ("{{#yes}} {{! both }}\nx{{/yes}}", "x"),
        ("{{#yes}} x\n{{/yes}}", " x\n"), ("  {{text}}\n", "  T\n"), ("  {{empty}}\n", "  \n"),
        ("{{#yes}}{{empty}}{{/yes}}\nb", "\nb"), ("| {{#yes}}\n{{/yes}} |", "| \n |"),
        ("{{!\n c\n}}\nb", "b"), ("\n{{#yes}}\n\n{{/yes}}\n\n", "\n\n\n"),
    ])
    func `a line of silent tags alone is no line`(_ template: String, _ output: String) throws {
        #expect(try rendered(template, TemplateTests.value) == output)
    }

    static let hostile = "<a href='x'>\"&\\/\u{0}\u{1}\n\u{7F}\u{2028}é😀%+ ~-_.</a>"

    static var hostileJSON: String {
        JSONValue.object([.init("v", .string(hostile))]).text
    }

    @Test(arguments: [
        (Template.Escape.none, hostile),
        (.json, #"<a href='x'>\"&\\/\u0000\u0001\n\u007f"# + "\u{2028}é😀%+ ~-_.</a>"),
        (
            .html,
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\\/\u{0}\u{1}\n\u{7F}\u{2028}é😀%+ ~-_.&lt;/a&gt;"
        ),
        (
            .uri,
            "%3Ca%20href%3D%27x%27%3E%22%26%5C%2F%00%01%0A%7F%E2%80%A8%C3%A9%F0%9F%98%80%25%2B%20~-_."
                + "%3C%2Fa%3E"
        ),
    ])
    func `two braces escape, three and an ampersand do not`(
        _ escape: Template.Escape, _ escaped: String
    ) throws {
        let json = TemplateTests.hostileJSON
        #expect(try rendered("{{v}}", json, escape) == escaped)
        #expect(try rendered("{{{v}}}", json, escape) == TemplateTests.hostile)
        #expect(try rendered("{{& v }}", json, escape) == TemplateTests.hostile)
    }

    @Test func `an object is a value in a JSON body, or a text in one`() throws {
        let body = try rendered(
            #"{"detail":{{{object}}},"shown":"{{object}}"}"#, TemplateTests.value, .json)
        let value = try JSONValue(parsing: body)
        #expect(value["detail"]?["inner"] == .string("I"))
        #expect(value["shown"] == .string(#"{"inner":"I","text":"O"}"#))
    }

    @Test func `the output may be as long as the limit and no longer`() throws {
        #expect(try rendered("ab{{text}}", TemplateTests.value, limit: 3) == "abT")
        #expect(throws: Template.RenderError.tooLong(limit: 2)) {
            try rendered("ab{{text}}", TemplateTests.value, limit: 2)
        }
        #expect(throws: Template.RenderError.tooLong(limit: 5)) {
            try rendered("{{v}}", #"{"v":"\"\"\""}"#, .json, limit: 5)
        }
        #expect(try rendered("{{missing}}", TemplateTests.value, limit: 0) == "")
    }
}
