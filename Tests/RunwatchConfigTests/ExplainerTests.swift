import RunwatchConfig
import RunwatchCore
import Testing

/// Where each setting comes from.
@Suite struct ExplainerTests {
    private static let main = """
        services:
          warehouse:
            kind: kinetica
            url: http://127.0.0.1:9191
            password: {env: KINETICA_PASSWORD}
            username: watcher
            limits: {rate: 600/m}
            poll:
              initial: 1s
              max: 30s
            deadline: 3h
          lake:
            kind: kinetica
            url: http://127.0.0.1:9192
            limits: &few
              concurrency: 2
          pond:
            kind: kinetica
            url: http://127.0.0.1:9193
            limits: *few
        receivers:
          log:
            stdout: {format: json}
          ops:
            webhook: {url: "https://hooks.example.com/hunter2", secret: {env: WEBHOOK_SECRET}}
        defaults:
          poll: {factor: 2, max: 50s}
          notify: [ops]
        """

    private static let list = """
        - service: warehouse
          id: 1
        - service: warehouse
          id: 2
          label: two
          poll: {max: 40s}
          deadline: none
        - service: warehouse
          ids: [3, 1, 4]
        - service: lake
          ids_from: backlog.txt
          stall_after: 5m
        - service: warehouse
          discover: {run_tag: nightly}
          group: night
        """

    private static func explain(
        _ main: String = main, _ list: String = list, options: LoadOptions = explaining
    ) throws -> Explanation {
        let result = load(main, list, options)
        #expect(result.errors == [])
        return Explainer.explain(
            try #require(result.configuration), try #require(result.places))
    }

    private static let explaining = LoadOptions(notesPlaces: true, assumesCredentials: true)

    private static func load(
        _ main: String, _ list: String, _ options: LoadOptions
    ) -> ConfigurationResult {
        let files = [
            "/c/runwatch.yaml": main, "/c/watches.yaml": list, "/c/backlog.txt": "7\n8\n",
        ]
        return ConfigurationLoader.load(
            file: "/c/runwatch.yaml", environment: testEnvironment, options: options,
            readFile: { (path, _) throws(FileFault) in
                guard let text = files[path] else { throw FileFault(.missing, "no such file") }
                return FileContents(bytes: Array(text.utf8))
            }, programFault: { _ in nil })
    }

    /// `value (file:line, key)`, as far as it matters.
    private static func words(_ settings: [ExplainedSetting], _ name: String) -> String? {
        guard let setting = settings.first(where: { $0.name == name }) else { return nil }
        let value = String(decoding: setting.value.bytes, as: UTF8.self)
        guard case .key(let key, let file, let line) = setting.source else { return value }
        return "\(value) \(file.removing("/c/")):\(line) \(key)"
    }

    // MARK: Watches

    @Test(arguments: [
        // Built in, by defaults, by the service, by the entry; poll key by key.
        ("1", "poll.initial", #""1s" runwatch.yaml:9 services.warehouse.poll.initial"#),
        ("1", "poll.factor", "2 runwatch.yaml:27 defaults.poll.factor"),
        ("1", "poll.max", #""30s" runwatch.yaml:10 services.warehouse.poll.max"#),
        ("1", "poll.jitter", #""10%""#),
        ("1", "deadline", #""3h" runwatch.yaml:11 services.warehouse.deadline"#),
        ("1", "notify", #"["ops"] runwatch.yaml:28 defaults.notify"#),
        ("1", "not_found_grace", #""1m""#),
        ("1", "label", nil),
        ("2", "label", #""two" watches.yaml:5 label"#),
        ("2", "poll.initial", #""1s" runwatch.yaml:9 services.warehouse.poll.initial"#),
        ("2", "poll.max", #""40s" watches.yaml:6 poll.max"#),
        ("2", "deadline", "null watches.yaml:7 deadline"),
        ("2", "stall_after", "null"),
        ("4", "poll.max", #""30s" runwatch.yaml:10 services.warehouse.poll.max"#),
    ])
    func `a watch's setting is told with the nearest place that sets it`(
        run: String, setting: String, expected: String?
    ) throws {
        let name = WatchName(service: "warehouse", run: run)
        let explanation = try #require(try ExplainerTests.explain().only(name))
        #expect(explanation.groups.count == 1 && explanation.groups[0].count == 1)
        #expect(explanation.services.isEmpty && explanation.main == nil)
        #expect(ExplainerTests.words(explanation.groups[0].settings, setting) == expected)
    }

    @Test func `what is told is what holds`() throws {
        let result = ExplainerTests.load(
            ExplainerTests.main, ExplainerTests.list, ExplainerTests.explaining)
        let configuration = try #require(result.configuration)
        let explanation = Explainer.explain(configuration, try #require(result.places))
        for group in explanation.groups {
            for index in group.members.joined() {
                let settings = configuration.watches[index].settings
                for (name, value) in [
                    ("poll.initial", settings.poll.initial), ("poll.max", settings.poll.maximum),
                ] {
                    let told = try #require(group.settings.first { $0.name == name })
                    #expect(told.value == .string(DurationText.format(value)))
                }
            }
        }
        #expect(explanation.groups.reduce(0) { $0 + $1.count } == configuration.watches.count)
    }

    @Test func `watches that are alike in all are one group, whatever entry they are of`() throws {
        let groups = try ExplainerTests.explain().groups
        #expect(groups.map(\.service) == ["warehouse", "warehouse", "lake"])
        // The first watch of the third entry stands in the first one already.
        #expect(groups.map(\.count) == [3, 1, 2])
        #expect(groups.map(\.entries) == [2, 1, 1])
        #expect(groups.map(\.line) == [1, 3, 10])
        #expect(groups.map(\.idsFile) == [nil, nil, "/c/backlog.txt"])
        #expect(
            ExplainerTests.words(groups[2].settings, "stall_after")
                == #""5m" watches.yaml:12 stall_after"#)
    }

    @Test func `a discovery has its settings too`() throws {
        let discoveries = try ExplainerTests.explain().discoveries
        #expect(discoveries.map(\.runTag) == ["nightly"])
        let settings = try #require(discoveries.first).settings
        #expect(ExplainerTests.words(settings, "group") == #""night" watches.yaml:15 group"#)
        #expect(
            ExplainerTests.words(settings, "deadline")
                == #""3h" runwatch.yaml:11 services.warehouse.deadline"#)
    }

    @Test func `a watch that no list has is not explained`() throws {
        let explanation = try ExplainerTests.explain()
        #expect(explanation.only(WatchName(service: "lake", run: "1")) == nil)
    }

    @Test func `a krixik watch says whose pipeline it has`() throws {
        let main = krixikService + "    pipeline: usual\n"
        let list = """
            - service: krixik
              id: f948a6ad-0343-e743-2b3f-0df6bc732a3a
            - service: krixik
              id: f948a6ad-0343-e743-2b3f-0df6bc732a3b
              pipeline: other
            """
        let groups = try ExplainerTests.explain(main, list).groups
        #expect(
            groups.map { ExplainerTests.words($0.settings, "pipeline") } == [
                #""usual" runwatch.yaml:6 services.krixik.pipeline"#,
                #""other" watches.yaml:5 pipeline"#,
            ])
    }

    // MARK: Services and receivers

    @Test(arguments: [
        ("warehouse", "timeout", #""30s""#), ("warehouse", "max_all_answer", #""256MiB""#),
        ("warehouse", "limits.rate", #""10/s" runwatch.yaml:7 services.warehouse.limits.rate"#),
        ("warehouse", "limits.concurrency", "8"), ("warehouse", "coalesce", #""auto""#),
        ("warehouse", "poll.max", #""30s" runwatch.yaml:10 services.warehouse.poll.max"#),
        (
            "warehouse", "password",
            #""{env: KINETICA_PASSWORD}" runwatch.yaml:5 services.warehouse.password"#
        ),
        ("lake", "poll.max", #""50s" runwatch.yaml:27 defaults.poll.max"#),
        ("lake", "limits.rate", "null"),
        // Behind an alias it is the anchored line that says so.
        ("pond", "limits.concurrency", "2 runwatch.yaml:16 services.pond.limits.concurrency"),
    ])
    func `a service's setting is told with its place`(
        service: String, setting: String, expected: String
    ) throws {
        let sections = try ExplainerTests.explain().services
        let section = try #require(sections.first { $0.name == service })
        #expect(ExplainerTests.words(section.settings, setting) == expected)
    }

    @Test func `a receiver's settings are told, and none of its secrets`() throws {
        let explanation = try ExplainerTests.explain()
        let ops = explanation.receivers[1].settings
        #expect(
            ExplainerTests.words(ops, "webhook.url")
                == #""***" runwatch.yaml:25 receivers.ops.webhook.url"#)
        #expect(
            ExplainerTests.words(ops, "webhook.secret")
                == #""{env: WEBHOOK_SECRET}" runwatch.yaml:25 receivers.ops.webhook.secret"#)
        #expect(ExplainerTests.words(ops, "timeout") == #""15s""#)
        #expect(ExplainerTests.words(ops, "digest") == "null")
        #expect(ExplainerTests.words(explanation.receivers[0].settings, "retry") == nil)
        #expect(!"\(explanation)".contains("hunter2"))
    }

    /// Secrets in every place that can have one, plain and not.
    @Test func `no secret of any kind of receiver is told`() throws {
        let main = """
            services:
              krixik: {kind: krixik, url: "https://k.example.com", api_key: hunter2-0}
              lake: {kind: kinetica, url: "https://l.example.com", token: hunter2-1}
            receivers:
              hook:
                webhook:
                  url: https://hooks.example.com/hunter2-2
                  secret: [hunter2-3, {env: OPS_SECRET_OLD}]
                  headers: {authorization: hunter2-4, file: hunter2-5, x-key: {env: OPS_TOKEN}}
                  body: "{{text}} hunter2-6"
              chat:
                slack: {url: "https://hooks.slack.com/services/hunter2-7", text: hunter2-8}
              phone:
                ntfy: {topic: hunter2-9, token: hunter2-10, url: "https://n.example.com/hunter2-11"}
              mail:
                email:
                  url: smtp://mail.example.com
                  from: a@example.com
                  to: b@example.com
                  username: hunter2-12
                  password: hunter2-13
                  subject: hunter2-14
              run:
                exec:
                  command: [/bin/true, hunter2-15]
                  environment: {env: hunter2-16, file: hunter2-17, TOKEN: {env: NOTIFY_TOKEN}}
            """
        let explanation = try ExplainerTests.explain(main, "[]")
        #expect(explanation.receivers.count == 5)
        let text = "\(explanation)"
        #expect(!text.contains("hunter2"))
        for value in testEnvironment.values where value.utf8.count > 8 {
            #expect(!text.contains(value))
        }
        // `dump` goes past descriptions, through every stored property.
        var places = ""
        let result = ExplainerTests.load(main, "[]", ExplainerTests.explaining)
        dump(try #require(result.places), to: &places)
        #expect(places.contains("receivers.run.exec.command"))
        #expect(!places.contains("hunter2"))
    }

    @Test func `without receivers the one built in is told`() throws {
        let explanation = try ExplainerTests.explain(kineticaService, "[]")
        #expect(explanation.receivers.map(\.name) == ["log"])
        #expect(explanation.receivers[0].source == .standard)
        #expect(
            ExplainerTests.words(explanation.receivers[0].settings, "stdout.format") == #""json""#)
    }

    // MARK: Loading

    @Test func `places are noted only when they are asked for`() {
        let usual = ExplainerTests.load(ExplainerTests.main, ExplainerTests.list, LoadOptions())
        #expect(usual.configuration != nil && usual.places == nil)
        let faulty = ExplainerTests.load(
            ExplainerTests.main + "\nnope: 1", ExplainerTests.list, ExplainerTests.explaining)
        #expect(faulty.configuration == nil && faulty.places == nil)
    }

    @Test func `errors are counted beyond those that are told`() {
        let list = String(repeating: "- {service: nope, id: 1}\n", count: 250)
        let result = ExplainerTests.load(kineticaService, list, LoadOptions())
        #expect(result.errorCount == 250)
        #expect(result.errors.count == 101)
    }

    private static let credentials = """
        services:
          krixik:
            kind: krixik
            url: https://api.example.com
            api_key: {credential: key}
          lake:
            kind: kinetica
            url: http://127.0.0.1:9192
            token: {credential: token}
          pond:
            kind: kinetica
            url: http://127.0.0.1:9193
        receivers:
          chat:
            slack: {url: {credential: slack-url}, deny_private: true}
          hook:
            webhook: {url: {credential: hook-url}, secret: {credential: hook}}
          phone:
            ntfy: {topic: {credential: topic}}
        """

    @Test func `a credential is taken for given only where nobody could be passed it`() throws {
        let strict = ExplainerTests.load(ExplainerTests.credentials, "[]", LoadOptions())
        #expect(strict.errors.count == 6)
        let lenient = ExplainerTests.load(
            ExplainerTests.credentials, "[]", ExplainerTests.explaining)
        #expect(lenient.errors == [])
        #expect(lenient.warnings.count == 6)
        #expect(lenient.warnings[0].message.contains("'key' was not looked at"))
        let configuration = try #require(lenient.configuration)
        #expect(configuration.services.map(\.unreadCredential) == ["key", "token", nil])

        var environment = testEnvironment
        environment["CREDENTIALS_DIRECTORY"] = "/nowhere"
        let inService = ConfigurationLoader.load(
            file: "/c/runwatch.yaml", environment: environment, options: ExplainerTests.explaining,
            readFile: { (path, _) throws(FileFault) in
                guard path == "/c/runwatch.yaml" else {
                    throw FileFault(.missing, "no such file")
                }
                return FileContents(bytes: Array(ExplainerTests.credentials.utf8))
            })
        #expect(inService.errors.count == 6)
    }

    @Test func `a text that looks like the mark of an unread credential is no credential`() {
        let main = """
            receivers:
              hook:
                webhook: {url: "\\x01https://hooks.example.com"}
            """
        #expect(ExplainerTests.load(main, "[]", ExplainerTests.explaining).configuration == nil)
    }
}
