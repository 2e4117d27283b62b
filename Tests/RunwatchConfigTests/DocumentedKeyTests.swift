import RunwatchConfig
import RunwatchCore
import RunwatchTemplate
import Testing

/// Every key stands in the reference pages, and every default that is a word or a number with it.
@Suite struct DocumentedKeyTests {
    /// A configuration with a key that nobody knows, in each mapping.
    ///
    /// The message names the known ones.
    static let strange = load(
        """
        zzzzzzzzzz: 1
        services:
          a: {kind: krixik, zzzzzzzzzz: 1, limits: {zzzzzzzzzz: 1}, tls: {zzzzzzzzzz: 1}}
        receivers:
          b: {zzzzzzzzzz: 1, stdout: {zzzzzzzzzz: 1}, digest: {zzzzzzzzzz: 1}}
          c: {webhook: {zzzzzzzzzz: 1}}
          d: {slack: {zzzzzzzzzz: 1}}
          e: {discord: {zzzzzzzzzz: 1}}
          f: {teams: {zzzzzzzzzz: 1}}
          g: {ntfy: {zzzzzzzzzz: 1}}
          h: {email: {zzzzzzzzzz: 1}}
          i: {exec: {zzzzzzzzzz: 1}}
        defaults: {zzzzzzzzzz: 1, poll: {zzzzzzzzzz: 1}}
        retention: {zzzzzzzzzz: 1}
        control: {zzzzzzzzzz: 1}
        http: {zzzzzzzzzz: 1}
        log: {zzzzzzzzzz: 1}

        """,
        watches: "- {zzzzzzzzzz: 1}\n")

    static let discovery = load(
        kineticaService,
        watches: "- {service: warehouse, discover: {zzzzzzzzzz: 1}}\n")

    /// The known keys by the mapping that the message names.
    static func known(_ result: ConfigurationResult) -> [String: [String]] {
        var known: [String: [String]] = [:]
        for diagnostic in result.diagnostics {
            let message = diagnostic.message
            let opening = "unknown key 'zzzzzzzzzz' in "
            guard message.hasPrefix(opening),
                let middle = message.firstRange(of: "; known are ")
            else { continue }
            let what = message[..<middle.lowerBound].dropFirst(opening.count)
            let names = message[middle.upperBound...].split(separator: ", ")
            known[String(what)] = names.map(String.init)
        }
        return known
    }

    static func page(_ name: String) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        return try text(of: "\(root)/Sources/RunwatchDaemon/Runwatch.docc/\(name).md")
    }

    /// The names that stand in backticks, and the last parts of those with dots.
    private static func codes(_ page: String) -> Set<String> {
        var codes: Set<String> = []
        for line in page.split(separator: "\n") {
            let parts = line.split(separator: "`", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() where !index.isMultiple(of: 2) {
                codes.insert(String(part))
                if let last = part.split(separator: ".").last { codes.insert(String(last)) }
            }
        }
        return codes
    }

    @Test func `every key of the main file is documented`() throws {
        let known = DocumentedKeyTests.known(DocumentedKeyTests.strange)
        let mappings = [
            "the configuration", "service 'a'", "'limits'", "'tls'", "receiver 'b'", "'stdout'",
            "'webhook'", "'defaults'", "'poll'", "'retention'", "'control'", "'http'",
            "'log'",
        ]
        let codes = DocumentedKeyTests.codes(try DocumentedKeyTests.page("Configuration"))
        for mapping in mappings {
            let keys = try #require(known[mapping], "\(mapping)")
            for key in keys {
                #expect(codes.contains(key), "\(key) of \(mapping) is not in Configuration.md")
            }
        }
    }

    @Test(arguments: [
        "stdout", "webhook", "slack", "discord", "teams", "ntfy", "email", "exec", "digest",
    ])
    func `every key inside a receiver is documented with what it belongs to`(
        _ kind: String
    ) throws {
        let codes = DocumentedKeyTests.codes(try DocumentedKeyTests.page("Configuration"))
        let keys = DocumentedKeyTests.known(DocumentedKeyTests.strange)["'\(kind)'"]
        for key in try #require(keys) {
            #expect(codes.contains("\(kind).\(key)"), "\(kind).\(key) is not in Configuration.md")
        }
    }

    @Test func `every kind of receiver and every key of a template has its place`() throws {
        let page = try DocumentedKeyTests.page("Receivers")
        let codes = DocumentedKeyTests.codes(page)
        let kinds = ["stdout", "webhook", "ntfy", "email", "exec"] + ["slack", "discord", "teams"]
        for kind in kinds {
            #expect(codes.contains(kind))
            #expect(page.contains("\n    \(kind):"), "no example of \(kind)")
        }
        guard case .object(let keys) = TemplateKeys.event else {
            Issue.record("a template has no keys")
            return
        }
        for key in keys.keys {
            #expect(page.contains("\n| `\(key)` |") || page.contains("\n| `\(key).…` |"), "\(key)")
        }
    }

    /// The blocks of YAML in a page that are configurations, not parts of one.
    @Test func `the examples in the page of receivers work as they stand`() throws {
        var blocks: [[Substring]] = []
        var isInside = false
        for line in try DocumentedKeyTests.page("Receivers").split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line == "```yaml" { blocks.append([]) }
            if line.hasPrefix("```") {
                isInside = line == "```yaml"
            } else if isInside {
                blocks[blocks.count - 1].append(line)
            }
        }
        let mains = blocks.filter { $0.first == "receivers:" }.map { $0.joined(separator: "\n") }
        #expect(mains.count >= 9)
        for main in mains {
            // Credentials are systemd's; any secret that is a URL will do.
            let replaced = main.split(separator: "{credential: ", omittingEmptySubsequences: false)
                .enumerated().map { index, part in
                    guard index > 0, let end = part.firstIndex(of: "}") else { return String(part) }
                    let variable = part[..<end].hasSuffix("url") ? "SLACK_URL" : "WEBHOOK_SECRET"
                    return "{env: \(variable)" + part[end...]
                }.joined()
            let result = load(replaced)
            #expect(result.lines() == [], "\(main)")
            #expect(result.configuration != nil)
        }
    }

    @Test func `every key of a watch list is documented`() throws {
        let codes = DocumentedKeyTests.codes(try DocumentedKeyTests.page("WatchLists"))
        let watch = DocumentedKeyTests.known(DocumentedKeyTests.strange)["a watch"]
        let discover = DocumentedKeyTests.known(DocumentedKeyTests.discovery)["'discover'"]
        for key in try #require(watch) + #require(discover) {
            #expect(codes.contains(key), "\(key) is not in WatchLists.md")
        }
    }

    @Test func `the defaults in the pages are those of the code`() throws {
        let page = try DocumentedKeyTests.page("Configuration")
        func row(_ key: String, _ column: Int = 2) -> String {
            let line = page.split(separator: "\n").first { $0.hasPrefix("| `\(key)` |") }
            let cells = (line ?? "").split(separator: "|").map { cell in
                cell.filter { $0 != "`" }.drop { $0 == " " }
            }
            guard column < cells.count else { return "" }
            return String(cells[column].reversed().drop { $0 == " " }.reversed())
        }
        let poll = PollSettings.standard
        #expect(row("poll.initial") == DurationText.format(poll.initial))
        #expect(row("poll.factor") == "\(poll.factor)")
        #expect(row("poll.max") == "60s" && poll.maximum == .seconds(60))
        #expect(row("poll.jitter") == "10%" && poll.jitter == 0.1)
        #expect(row("not_found_grace") == "60s" && WatchSettings().notFoundGrace == .seconds(60))
        #expect(row("limits.concurrency") == "\(ServiceLimits().concurrency)")
        #expect(row("client_version") == KrixikSettings(apiKey: Secret("x")).clientVersion)
        #expect(row("coalesce") == KineticaSettings().coalesce.rawValue)
        #expect(row("level") == LogSettings().level.rawValue)
        #expect(row("format") == LogSettings().format.rawValue)
        let receiver = ReceiverSettings(name: "a", kind: .stdout(.json))
        let waits = receiver.retry.map { $0 == .seconds(86_400) ? "24h" : DurationText.format($0) }
        #expect(row("retry") == "[\(waits.joined(separator: ", "))]")
        #expect(row("digest.window") == "5m" && DigestSettings().window == .seconds(300))
        #expect(row("digest.max") == "\(DigestSettings().max)")
        #expect(row("digest") == "none" && receiver.digest == nil)
        let exec = ReceiverSettings.Kind.exec(ExecSettings(command: []))
        let webhook = ReceiverSettings.Kind.webhook(WebhookSettings(url: Secret("x")))
        let email = EmailSettings(url: "", from: EmailAddress(address: ""), to: [])
        let chat = ReceiverSettings.Kind.chat(ChatSettings(service: .slack, url: Secret("x")))
        #expect(
            row("concurrency")
                == "webhook \(webhook.standardConcurrency), exec \(exec.standardConcurrency), "
                + "all others \(chat.standardConcurrency)")
        #expect(ReceiverSettings.Kind.email(email).standardConcurrency == 1)
        #expect(row("webhook.format") == WebhookSettings(url: Secret("x")).format.rawValue)
        #expect(row("webhook.deny_private") == "\(PeerSettings().deniesPrivate)")
        #expect(row("email.starttls") == email.startTLS.rawValue)
        #expect(row("ntfy.url") == "https://ntfy.sh")
        #expect(row("stdout.format") == ReceiverSettings.StdoutFormat.json.rawValue)
        #expect(
            page.contains("| `timeout` | duration | `\(DurationText.format(receiver.timeout))` |"))
    }
}
