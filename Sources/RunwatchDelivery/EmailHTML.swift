import RunwatchCore

/// Writes the HTML part of a mail.
///
/// Styles stand in the elements alone, since many programs drop all others; nothing is fetched from
/// anywhere. No colour is set but those of the bar and of side matters, which can be read on white
/// and on black: the rest is the reader's choice. What may be written from right to left has an
/// element of its own, so that it does not turn what stands beside it.
struct EmailHTML {
    private var lines: [String] = []

    /// The lines of the part.
    static func lines(of content: EmailContent) -> [String] {
        var html = EmailHTML()
        html.write(content)
        return html.lines
    }

    private mutating func write(_ content: EmailContent) {
        lines += [
            "<!DOCTYPE html>", #"<html lang="en">"#, "<head>",
            #"<meta http-equiv="Content-Type" content="text/html; charset=utf-8">"#,
            #"<meta name="color-scheme" content="light dark">"#,
            "<title>\(EmailHTML.escaped(content.subject))</title>", "</head>",
            #"<body style="margin:0;padding:12px;font:14px/1.4 sans-serif">"#,
            #"<div style="border-left:4px solid \#(content.severity.color);"#
                + #"padding:2px 0 2px 12px;overflow-wrap:anywhere;word-break:break-word">"#,
        ]
        switch content.body {
        case .event(let fields, let message):
            writeTitle(content.title)
            writeTable(fields)
            if !message.isEmpty { writeParagraph(message, style: "margin:8px 0 0") }
        case .digest(let rows):
            writeTitle(content.title)
            writeTable(rows)
        case .template(let text): writePlain(text)
        }
        lines += ["</div>", "</body>", "</html>"]
    }

    private mutating func writeTitle(_ title: String) {
        writeParagraph(title, style: "margin:0 0 8px;font-size:16px;font-weight:bold")
    }

    private mutating func writeParagraph(_ text: String, style: String) {
        lines.append(#"<p dir="auto" style="\#(style)">\#(EmailHTML.escaped(text))</p>"#)
    }

    private mutating func writeTable(_ fields: [EventMessage.Field]) {
        guard !fields.isEmpty else { return }
        lines.append(#"<table cellspacing="0" cellpadding="3">"#)
        for field in fields {
            let (name, value) = (EmailHTML.escaped(field.name), EmailHTML.escaped(field.value))
            lines.append(
                #"<tr valign="top"><td nowrap style="color:#767676">\#(name)</td>"#
                    + #"<td dir="auto">\#(value)</td></tr>"#)
        }
        lines.append("</table>")
    }

    private mutating func writeTable(_ rows: [EmailContent.Row]) {
        lines.append(#"<table cellspacing="0" cellpadding="4">"#)
        for row in rows {
            let (title, rest) = (EmailHTML.escaped(row.title), EmailHTML.escaped(row.rest))
            let bar = "border-left:4px solid \(row.severity.color)"
            // Short, for there may be a thousand, and some programs show the first 100 KB.
            lines.append(
                #"<tr valign="top"><td nowrap style="\#(bar)">\#(row.time)</td>"#
                    + #"<td dir="auto"><b>\#(title)</b>\#(rest)</td></tr>"#)
        }
        lines.append("</table>")
    }

    private mutating func writePlain(_ text: [String]) {
        // The line break right after the tag is not of the text.
        lines.append(#"<pre dir="auto" style="margin:0;white-space:pre-wrap">"#)
        lines += text.map(EmailHTML.escaped)
        lines.append("</pre>")
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { "&<>\"'".utf8.contains($0) }) else { return text }
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): output += "&amp;".utf8
            case UInt8(ascii: "<"): output += "&lt;".utf8
            case UInt8(ascii: ">"): output += "&gt;".utf8
            case UInt8(ascii: "\""): output += "&quot;".utf8
            case UInt8(ascii: "'"): output += "&#39;".utf8
            default: output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}

extension EventMessage.Severity {
    /// Of the bar; seen well on white and on black.
    fileprivate var color: String {
        switch self {
        case .info: "#6e7781"
        case .good: "#2e9e4f"
        case .warning: "#bf8700"
        case .bad: "#d1242f"
        }
    }
}
