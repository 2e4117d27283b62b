import RunwatchTemplate
import Testing

/// The fault of a template that does not parse.
func fault(_ template: String) -> Template.Fault? {
    do {
        _ = try Template(template)
        return nil
    } catch {
        return error
    }
}

@Suite struct TemplateFaultTests {
    @Test(arguments: [
        ("{{", "1:1: the tag that begins here is never closed"),
        ("{{{", "1:1: the tag that begins here is never closed"),
        ("{{=", "1:1: the tag that begins here is never closed"),
        ("{{{a}}", "1:1: the tag that begins here is never closed"),
        ("a\n {{b}", "2:2: the tag that begins here is never closed"),
        ("{{= =}}", "1:1: these are no delimiters; write them like {{=<% %>=}}"),
        ("{{=<%=}}", "1:1: these are no delimiters; write them like {{=<% %>=}}"),
        ("{{=a b c=}}", "1:1: these are no delimiters; write them like {{=<% %>=}}"),
        ("é{{=<% %>", "1:2: the tag that begins here is never closed"),
        ("x {{> part }}", "1:3: partials ({{>name}}) are not supported; write the text here"),
        ("{{}}", "1:1: a tag without a name"), ("{{#}}{{/}}", "1:1: a tag without a name"),
        ("{{{ }}}", "1:1: a tag without a name"), ("{{a}}{{&}}", "1:6: a tag without a name"),
        ("{{a..b}}", "1:1: the name 'a..b' has an empty part; write it like data.run"),
        ("{{.a}}", "1:1: the name '.a' has an empty part; write it like data.run"),
        ("{{#a.}}{{/a.}}", "1:1: the name 'a.' has an empty part; write it like data.run"),
        ("{{a\u{0}b}}", "1:1: a name holds a brace or a control character"),
        ("{{a\nb}}", "1:1: a name holds a brace or a control character"),
        ("{{a\u{2028}b}}", "1:1: a name holds a brace or a control character"),
        ("{{a} {{b}}", "1:1: a name holds a brace or a control character"),
        ("{{{{a}}}}", "1:1: a name holds a brace or a control character"),
        ("{{#a}}\n", "1:1: section 'a' is never ended; '{{/a}}' is missing"),
        ("{{^a}}{{#b}}{{/b}}", "1:1: section 'a' is never ended; '{{/a}}' is missing"),
        ("x{{/a}}", "1:2: '{{/a}}' ends a section that was never begun"),
        ("{{#a}}{{/a}}\n{{/a}}", "2:1: '{{/a}}' ends a section that was never begun"),
        (
            "{{#a}}\n{{#b}}\n{{/a}}{{/b}}",
            "3:1: '{{/a}}' stands where section 'b' of line 2 ends; write '{{/b}}' before it"
        ),
    ])
    func `a fault names its place`(_ template: String, _ message: String) {
        #expect(fault(template)?.description == message)
    }

    @Test(arguments: [
        "{{", "{{{", "{{=", "{{#s}}", "{{^s}}", "{{/s}}", "{{>p}}", "{{}}", "{{= =}}",
    ])
    func `a fault is found wherever it stands`(_ slip: String) {
        let parts = [
            "a", "b", " ", "{{x}}", " ", "é", "\n", "\n", "\t", "😀", "{{! c\n }}", "\r\n",
            "{{{y}}}",
            "\r", "z", "e", "\u{301}", "{{=<% %>=}}", "<%={{ }}=%>", "\n",
        ]
        for index in 0...parts.count where index != 18 {
            let before = parts[..<index].joined()
            let found = fault(before + slip + parts[index...].joined())
            let lines = TemplateFaultTests.lines(before.unicodeScalars)
            #expect(found?.line == lines.count, "before part \(index)")
            #expect(found?.column == (lines.last ?? 0) + 1, "before part \(index)")
        }
    }

    /// How many scalars each line holds.
    static func lines(_ text: String.UnicodeScalarView) -> [Int] {
        var lines = [0]
        var last: Unicode.Scalar?
        for scalar in text {
            if scalar == "\n" && last == "\r" {
                // The line has ended already.
            } else if scalar == "\n" || scalar == "\r" {
                lines.append(0)
            } else {
                lines[lines.count - 1] += 1
            }
            last = scalar
        }
        return lines
    }

    @Test func `what is too much is refused`() {
        let long = String(repeating: "x", count: Template.maximumLength)
        #expect(fault(long) == nil)
        #expect(
            fault(long + "é")?.description
                == "1:1: a template of 65538 bytes is too long; 65536 are allowed")
        let name = String(repeating: "n", count: Template.maximumNameLength)
        #expect(fault("{{\(name)}}") == nil)
        #expect(
            fault("\n{{\(name)n}}")?.description
                == "2:1: a name of 257 bytes is too long; 256 are allowed")
        let depth = Template.maximumDepth
        let opening = String(repeating: "{{#a}}", count: depth)
        let closing = String(repeating: "{{/a}}", count: depth)
        #expect(fault(opening + closing) == nil)
        #expect(
            fault(opening + "{{^a}}{{/a}}" + closing)?.description
                == "1:385: sections are nested deeper than 64")
    }
}
