import Glibc
import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

@Suite struct ConfigurationLoaderTests {
    // MARK: The whole

    @Test func `the contract's own example loads`() throws {
        let folder = TemporaryFolder()
        folder.write("krixik-api-key", "key of krixik\n")
        folder.write("ops.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\r\n")
        chmod(folder.path("ops.secret"), 0o600)
        folder.write("backlog.txt", "# old ones\n7\n8 # eight\n")
        let main = folder.write(
            "runwatch.yaml",
            """
            services:
              krixik:
                kind: krixik
                url: https://api.example.com/        # base URL
                api_key: {credential: krixik-api-key}
              warehouse:
                kind: kinetica
                url: http://127.0.0.1:9191
                username: watcher
                password: {env: KINETICA_PASSWORD}
                limits: {concurrency: 8, rate: 20/s}
                poll: {initial: 1s, factor: 1.5, max: 30s, jitter: 10%}
            receivers:
              log:
                stdout: {format: json}
              ops:
                webhook:
                  url: https://hooks.example.com/runwatch
                  secret: {file: ops.secret}
                on: [complete, error, killed, lost, timeout]
            defaults:
              poll: {initial: 2s, factor: 1.6, max: 60s, jitter: 10%}
              deadline: none
              pending_after: none
              stall_after: none
              not_found_grace: 60s
              notify: [log]
            watch_lists: [watches.yaml, "watches.d/*.yaml"]
            retention: {finished: 30d}
            control: {group: runwatch, admin_group: runwatch}
            log: {level: info, format: auto}
            """)
        let list = folder.write(
            "watches.yaml",
            """
            - service: krixik
              pipeline: nightly-keywords
              ids: [f948a6ad-0343-e743-2b3f-0df6bc732a3a]
            - service: warehouse
              id: "12"
              label: nightly-udf
              group: nightly
              notify: [log, ops]
              deadline: 2h
            - service: warehouse
              ids_from: backlog.txt                  # one ID a line, '#' comments
            - service: warehouse
              discover: {run_tag: nightly}           # every run with that tag, as it appears
            """)
        var environment = testEnvironment
        environment["CREDENTIALS_DIRECTORY"] = folder.path
        let result = ConfigurationLoader.load(file: main, environment: environment)
        #expect(result.diagnostics == [])
        let configuration = try #require(result.configuration)

        let krixik = KrixikSettings(apiKey: Secret("key of krixik"))
        #expect(
            configuration.services[0]
                == ServiceSettings(
                    name: "krixik", kind: .krixik(krixik), url: "https://api.example.com"))
        let kinetica = KineticaSettings(
            credentials: .basic(username: "watcher", password: Secret("correct horse")))
        #expect(
            configuration.services[1]
                == ServiceSettings(
                    name: "warehouse", kind: .kinetica(kinetica), url: "http://127.0.0.1:9191",
                    limits: ServiceLimits(concurrency: 8, rate: 20)))
        let webhook = WebhookSettings(
            url: Secret("https://hooks.example.com/runwatch"),
            secrets: [Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
        #expect(
            configuration.receivers == [
                ReceiverSettings(name: "log", kind: .stdout(.json)),
                ReceiverSettings(name: "ops", kind: .webhook(webhook)),
            ])

        let defaults = WatchSettings(notify: ["log"])
        let poll = PollSettings(
            initial: .seconds(1), factor: 1.5, maximum: .seconds(30), jitter: 0.1)
        let warehouse = WatchSettings(poll: poll, notify: ["log"])
        #expect(configuration.defaults == defaults)
        #expect(configuration.serviceDefaults == ["krixik": defaults, "warehouse": warehouse])
        #expect(configuration.serviceParameters == ["krixik": [:], "warehouse": [:]])
        let run = "f948a6ad-0343-e743-2b3f-0df6bc732a3a"
        #expect(
            configuration.watches == [
                WatchSpec(
                    name: WatchName(service: "krixik", run: run),
                    parameters: ["pipeline": "nightly-keywords"], settings: defaults,
                    origin: .file(list, line: 3)),
                WatchSpec(
                    name: WatchName(service: "warehouse", run: "12"), label: "nightly-udf",
                    group: "nightly",
                    settings: WatchSettings(
                        poll: poll, deadline: .seconds(7200), notify: ["log", "ops"]),
                    origin: .file(list, line: 4)),
                WatchSpec(
                    name: WatchName(service: "warehouse", run: "7"), settings: warehouse,
                    origin: .file(folder.path("backlog.txt"), line: 2)),
                WatchSpec(
                    name: WatchName(service: "warehouse", run: "8"), settings: warehouse,
                    origin: .file(folder.path("backlog.txt"), line: 3)),
            ])
        #expect(
            configuration.discoveries == [
                DiscoverySpec(
                    service: "warehouse", runTag: "nightly", settings: warehouse, path: list,
                    line: 12)
            ])
        #expect(
            result.watchedPaths == [
                main, folder.path("ops.secret"), folder.path("krixik-api-key"), list,
                folder.path("backlog.txt"), folder.path("watches.d"),
            ])
    }

    @Test func `a file with nothing but braces is a configuration without services`() throws {
        let result = load("{}\n")
        #expect(result.diagnostics == [])
        let configuration = try #require(result.configuration)
        #expect(configuration.receivers.map(\.name) == ["log"])
        #expect(configuration.defaults.notify == ["log"])
        #expect(configuration.watches == [])
    }

    @Test func `watches without services are errors`() {
        let result = load("log: {level: debug}\n", watches: "- {service: a, id: 1}\n")
        #expect(result.configuration == nil)
        #expect(
            result.lines() == [
                "watches.yaml:1:13: unknown service 'a'; the configuration has no services"
            ])
    }

    @Test func `a missing main file is an error and is watched for`() {
        let folder = TemporaryFolder()
        let path = folder.path("runwatch.yaml")
        let result = ConfigurationLoader.load(file: path, environment: [:])
        #expect(result.lines(without: "") == ["\(path):0:0: cannot be read: no such file"])
        #expect(result.watchedPaths == [path])
    }

    @Test func `a pipe in place of a file is refused without waiting`() {
        let folder = TemporaryFolder()
        let path = folder.path("runwatch.yaml")
        mkfifo(path, 0o600)
        let result = ConfigurationLoader.load(file: path, environment: [:])
        #expect(
            result.lines(without: "") == ["\(path):0:0: cannot be read: this is no regular file"])
    }

    @Test func `errors of all files come at once, in the order of files and places`() {
        let result = MemoryFiles([
            "/c/runwatch.yaml":
                "log: {lvl: info}\nwatch_lists: [b.yaml, a.yaml, c.yaml]\nservces: {}\n",
            "/c/b.yaml": "- {service: x, id: 1}\n- {id: 1}\n",
            "/c/a.yaml": "- 1\n",
        ]).load()
        #expect(
            result.lines() == [
                "runwatch.yaml:1:7: unknown key 'lvl' in 'log'; known are level, format",
                "runwatch.yaml:2:31: cannot read 'c.yaml': no such file",
                "runwatch.yaml:3:1: unknown key 'servces'; did you mean 'services'?",
                "b.yaml:1:13: unknown service 'x'; the configuration has no services",
                "b.yaml:2:3: a watch needs 'service', the name of one of the services",
                "a.yaml:1:3: a watch needs 'key: value' pairs, not a text",
            ])
        #expect(
            result.watchedPaths == ["/c/runwatch.yaml", "/c/b.yaml", "/c/a.yaml", "/c/c.yaml"])
    }

    @Test func `a hundred errors of a file are shown and the rest is counted`() {
        let watches = String(repeating: "- {service: warehouse, id: \"\"}\n", count: 250)
        let result = load(kineticaService, watches: watches)
        #expect(result.diagnostics.count == 101)
        #expect(result.lines().last == "watches.yaml:0:0: and 150 more errors in this file")
        #expect(result.configuration == nil)
    }

    @Test func `warnings do not crowd out errors`() {
        let ids = (1...500).map { "  - \($0)\n" }.joined()
        let watches =
            "- service: krixik\n  pipeline: p\n  ids:\n" + ids + "- {service: krixi, id: 1}\n"
        let result = load(krixikService, watches: watches)
        #expect(result.warnings.count == 101)
        #expect(
            result.errors.map(\.message) == ["unknown service 'krixi'; did you mean 'krixik'?"])
    }

    @Test func `columns count characters, not bytes`() {
        let result = load("log: {format: \"äöü€😀\", lvl: x}\n")
        #expect(result.diagnostics.map(\.column) == [15, 24])
    }

    @Test func `a byte order mark and carriage returns are harmless`() throws {
        let result = load("\u{FEFF}log: {level: debug}\r\nservices: {}\r\n")
        #expect(result.diagnostics == [])
        #expect(result.configuration?.log.level == .debug)
    }

    // MARK: Lists of watches

    @Test func `the default lists may be missing, but one that is named may not`() {
        #expect(load("{}").diagnostics == [])
        #expect(
            load("watch_lists: [watches.yaml]").lines() == [
                "runwatch.yaml:1:15: cannot read 'watches.yaml': no such file"
            ])
    }

    @Test func `a pattern takes files in order of their names and each file once`() throws {
        let folder = TemporaryFolder()
        mkdir(folder.path("watches.d"), 0o755)
        mkdir(folder.path("watches.d/folder.yaml"), 0o755)
        folder.write("watches.d/b.yaml", "- {service: warehouse, id: b}\n")
        folder.write("watches.d/a.yaml", "- {service: warehouse, id: a}\n")
        folder.write("watches.d/.hidden.yaml", "- nonsense\n")
        folder.write("watches.d/c.yaml~", "- nonsense\n")
        let main = folder.write(
            "runwatch.yaml",
            kineticaService + "watch_lists: [\"watches.d/*.yaml\", watches.d/a.yaml, \"none/*\"]\n")
        let result = ConfigurationLoader.load(file: main, environment: [:])
        #expect(result.diagnostics == [])
        #expect(result.configuration?.watches.map(\.name.run) == ["a", "b"])
        #expect(result.watchedPaths.contains(folder.path("watches.d")))
        #expect(result.watchedPaths.contains(folder.path("none")))
    }

    @Test func `lists name their files relative to themselves`() {
        let result = MemoryFiles([
            "/c/runwatch.yaml": kineticaService + "watch_lists: [lists/l.yaml, /abs/m.yaml]\n",
            "/c/lists/l.yaml": "- {service: warehouse, ids_from: ids.txt}\n",
            "/c/lists/ids.txt": "1\n",
            "/abs/m.yaml": "- {service: warehouse, ids_from: ../more.txt}\n",
            "/abs/../more.txt": "2\n",
        ]).load()
        #expect(result.diagnostics == [])
        #expect(result.configuration?.watches.map(\.name.run) == ["1", "2"])
    }

    @Test(arguments: ["", "# nothing yet\n", "[]\n", "---\n", "---\n...\n"])
    func `an empty list has no watches`(_ text: String) {
        let result = load(kineticaService, watches: text)
        #expect(result.diagnostics == [])
        #expect(result.configuration?.watches == [])
    }

    @Test func `IDs are texts as written, quoted or not`() {
        let ids = [
            "012", "1e3", "0x10", "yes", "null", "~", "1:30", "+1", "1_000", "2026-11-22", ".inf",
            "a/b",
            "a b", "a#b", "true", "é",
        ]
        let plain = ids.map { "    - \($0)\n" }.joined()
        let quoted = ids.map { "    - '\($0)'\n" }.joined()
        let result = load(
            kineticaService,
            watches: "- service: warehouse\n  ids:\n" + plain + "- service: warehouse\n  ids:\n"
                + quoted)
        #expect(result.diagnostics == [])
        #expect(result.configuration?.watches.map(\.name.run) == ids)
    }

    @Test func `the same watch with equal settings is counted once`() {
        let watches = """
            - {service: warehouse, id: 12, deadline: 1h}
            - {service: warehouse, ids: ["12", '12', 13], deadline: 60m}
            - {service: warehouse, ids_from: ids.txt}
            - {service: warehouse, ids_from: ids.txt}
            """
        let result = MemoryFiles([
            "/c/runwatch.yaml": kineticaService, "/c/watches.yaml": watches,
            "/c/ids.txt": "a\r\n  b\t# comment\n\n#c\n# d\nb\na#b",
        ]).load()
        #expect(result.diagnostics == [])
        #expect(result.configuration?.watches.map(\.name.run) == ["12", "13", "a", "b", "a#b"])
        #expect(
            result.configuration?.watches.last?.origin == .file("/c/ids.txt", line: 7))
    }

    @Test func `watches with equal settings share one instance`() throws {
        let watches = """
            - {service: warehouse, id: 1}
            - {service: warehouse, id: 2}
            - {service: warehouse, id: 3, deadline: 1h}
            - {service: warehouse, id: 4, deadline: 60m, poll: {initial: 2s}}
            """
        let configuration = try #require(load(kineticaService, watches: watches).configuration)
        let settings = configuration.watches.map(\.settings)
        #expect(settings[0] === settings[1])
        #expect(settings[0] === configuration.serviceDefaults["warehouse"])
        #expect(settings[2] === settings[3])
        #expect(settings[2] != settings[0])
    }

    @Test func `an anchored value serves later entries`() {
        let result = load(
            kineticaService,
            watches: """
                - &first
                  service: warehouse
                  ids: &ids [1, 2]
                  poll: &fast {initial: 500ms, max: 1s}
                - {service: warehouse, id: 3}
                - *first
                - {service: warehouse, id: 4, poll: *fast}
                - {service: warehouse, ids: *ids, poll: *fast}
                """)
        #expect(result.diagnostics == [])
        let watches = result.configuration?.watches ?? []
        #expect(watches.map(\.name.run) == ["1", "2", "3", "4"])
        #expect(watches.map(\.settings.poll.maximum.inSeconds) == [1, 1, 60, 1])
    }

    @Test func `a pipeline comes from the watch or else from its service`() {
        let run = "f948a6ad-0343-e743-2b3f-0df6bc732a3"
        let result = load(
            krixikService + "    pipeline: p\n",
            watches: """
                - {service: krixik, id: \(run)a}
                - {service: krixik, id: \(run)b, pipeline: q}
                """)
        #expect(result.diagnostics == [])
        #expect(
            result.configuration?.watches.map(\.parameters) == [
                ["pipeline": "p"], ["pipeline": "q"],
            ])
        #expect(result.configuration?.serviceParameters == ["krixik": ["pipeline": "p"]])
    }

    @Test func `a Krixik ID of another shape is only warned of`() {
        let result = load(
            krixikService, watches: "- {service: krixik, id: abc, pipeline: p}\n")
        #expect(result.configuration?.watches.count == 1)
        #expect(result.warnings.count == 1)
        #expect(result.errors == [])
    }

    // MARK: Settings

    @Test func `the nearest setting wins, and poll is merged key by key`() throws {
        let main = """
            defaults:
              poll: {initial: 3s, max: 90s}
              deadline: 1h
              stall_after: 10m
            services:
              a:
                kind: kinetica
                url: http://127.0.0.1
                poll: {factor: 3}
                deadline: none
              b: {kind: kinetica, url: "http://127.0.0.1", notify: []}
            receivers:
              one: {stdout: {}}
              two: {stdout: {format: text}}
            """
        let watches = """
            - {service: a, id: 1, poll: {jitter: 0.25}, stall_after: none, pending_after: 1m}
            - {service: b, id: 1, not_found_grace: 0s}
            - {service: b, id: 2, notify: [two, one]}
            """
        let result = load(main, watches: watches)
        #expect(result.diagnostics == [])
        let configuration = try #require(result.configuration)
        let all = ["one", "two"]
        #expect(configuration.defaults.notify == all)
        #expect(
            configuration.watches[0].settings
                == WatchSettings(
                    poll: PollSettings(
                        initial: .seconds(3), factor: 3, maximum: .seconds(90), jitter: 0.25),
                    pendingAfter: .seconds(60), notify: all))
        let b = PollSettings(initial: .seconds(3), factor: 1.6, maximum: .seconds(90), jitter: 0.1)
        #expect(
            configuration.watches[1].settings
                == WatchSettings(
                    poll: b, deadline: .seconds(3600), stallAfter: .seconds(600),
                    notFoundGrace: .zero, notify: []))
        #expect(configuration.watches[2].settings.notify == ["two", "one"])
        #expect(configuration.watches[2].settings.deadline == .seconds(3600))
    }

    @Test(arguments: [("none", nil), ("7d", Duration.seconds(604_800))])
    func `retention is a duration or none`(_ text: String, _ expected: Duration?) {
        let result = load("retention: {finished: \(text)}")
        #expect(result.diagnostics == [])
        #expect(result.configuration.map(\.retention) == .some(expected))
    }

    @Test func `an empty section is as good as none`() {
        let result = load("services:\nreceivers:\ndefaults:\nretention:\ncontrol:\nlog:\n")
        #expect(result.diagnostics == [])
        #expect(result.configuration?.receivers.map(\.name) == ["log"])
    }
}
