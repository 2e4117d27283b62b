import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

/// Input that is large, broken or meant to do harm ends in diagnostics, never in a crash or a hang.
@Suite struct HostileInputTests {
    private let good = """
        services:
          krixik: {kind: krixik, url: "https://api.example.com", api_key: {env: KRIXIK_API_KEY}}
          warehouse:
            kind: kinetica
            url: http://127.0.0.1:9191
            username: watcher
            password: {env: KINETICA_PASSWORD}
            limits: {concurrency: 8, rate: 20/s}
            poll: &poll {initial: 1s, factor: 1.5, max: 30s, jitter: 10%}
            max_answer: 8MiB
        receivers:
          log: {stdout: {format: json}}
          ops:
            webhook:
              url: https://hooks.example.com/
              secret: [{env: WEBHOOK_SECRET}, "a plain one"]
              body: {file: body.mustache}
              headers: {authorization: {env: KINETICA_TOKEN}, x-run: "{{data.run}}"}
              deny_private: true
            on: [complete, error, service.down]
            retry: [0s, 5s]
            concurrency: 4
            digest: {window: 5m, max: 10}
          chat:
            slack:
              url: {env: SLACK_URL}
              text: &text |2
                 *{{title}}*
                {{#events}}
                - {{{text}}}
                {{/events}}
            digest: none
          push: {ntfy: {topic: runs, token: {env: KINETICA_TOKEN}, text: *text}}
          mail:
            email:
              url: smtp://mail.example.com:587
              from: "\\"Run, Watch\\" <runwatch@example.com>"
              to: [ops@example.com, Büro <b@example.com>]
              username: watcher
              password: {env: KINETICA_PASSWORD}
              subject: 'it''s {{title}}'
              text: >+
                Dear {{receiver}},

                  see {{data.service}}

          hook: {exec: {command: [/bin/notify, "a\\tb"], environment: {T: {env: KINETICA_TOKEN}}}}
        defaults: {poll: *poll, deadline: none, notify: [log]}
        watch_lists: [watches.yaml, "more[0-9].yaml"]
        retention: {finished: 30d}
        control: {group: runwatch}
        log: {level: info, format: auto}

        """
    private let goodList = """
        - service: krixik
          pipeline: p
          ids: &ids [f948a6ad-0343-e743-2b3f-0df6bc732a3a, "0a1b2c3d-1111-e222-3333-444455556666"]
        - {service: warehouse, id: '12', label: "l\\u00e9", group: g, deadline: 2h, poll: {max: 9s}}
        - service: warehouse
          ids_from: ids.txt
        - service: warehouse
          discover:
            run_tag: >-
              nightly
          stall_after: 5m

        """

    private var files: MemoryFiles {
        MemoryFiles([
            "/c/runwatch.yaml": good, "/c/watches.yaml": goodList, "/c/ids.txt": "1\n2 # two\n",
            "/c/body.mustache": "{\"text\": \"{{title}}\"}\n",
        ])
    }

    @Test func `files that are cut anywhere never crash`() {
        #expect(files.load().errors == [])
        for path in ["/c/runwatch.yaml", "/c/watches.yaml"] {
            let whole = files.files[path] ?? []
            for length in 0..<whole.count {
                var cut = files
                cut.files[path] = Array(whole[..<length])
                let result = cut.load()
                #expect((result.configuration == nil) == !result.errors.isEmpty)
            }
        }
    }

    @Test func `random mutations never crash`() {
        var random = SeededGenerator(seed: 20_261_122)
        let paths = ["/c/runwatch.yaml", "/c/watches.yaml", "/c/ids.txt", "/c/body.mustache"]
        let marks = Array("{}[]:,#&*!|>'\"%@`-?\n\t \\~<0".utf8)
        var refused = 0
        for _ in 0..<2000 {
            var mutated = files
            let path = paths[Int.random(in: 0..<paths.count, using: &random)]
            var bytes = mutated.files[path] ?? []
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                case 2: bytes[index] = marks[Int.random(in: 0..<marks.count, using: &random)]
                case 3:
                    bytes.insert(marks[Int.random(in: 0..<marks.count, using: &random)], at: index)
                default:
                    let end = min(bytes.count, index + Int.random(in: 1...40, using: &random))
                    bytes.insert(contentsOf: bytes[index..<end], at: index)
                }
            }
            mutated.files[path] = bytes
            let result = mutated.load()
            #expect((result.configuration == nil) == !result.errors.isEmpty)
            if result.configuration == nil { refused += 1 }
            for diagnostic in result.diagnostics {
                for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hunter2", "battery", "horse"] {
                    #expect(!diagnostic.message.contains(secret))
                }
                #expect(!diagnostic.message.utf8.contains(0))
            }
        }
        // Most mutations break something: the test must have seen both outcomes.
        #expect(refused > 500 && refused < 2000)
    }

    @Test(arguments: ["[", "{a: ", "- ", "a:\n"])
    func `ten thousand levels are refused`(_ level: String) {
        let text: String
        if level.hasSuffix("\n") {
            text = (0..<10_000).map { String(repeating: " ", count: $0 % 2000) + "a:\n" }.joined()
        } else {
            text = String(repeating: level, count: 10_000)
        }
        #expect(load("log: {}\n" + text).configuration == nil)
        #expect(load(text).configuration == nil)
        #expect(load(kineticaService, watches: "- " + text).configuration == nil)
    }

    @Test func `a bomb of aliases is refused in a list too`() {
        var text = "- &a [x, x, x, x, x, x, x, x, x, x]\n"
        for (inner, outer) in zip("abcdefgh", "bcdefghi") {
            let aliases = Array(repeating: "*\(inner)", count: 10).joined(separator: ", ")
            text += "- &\(outer) [\(aliases)]\n"
        }
        let result = load(kineticaService, watches: text)
        #expect(result.configuration == nil)
        #expect(result.lines().last?.contains("the aliases stand for more than") == true)
    }

    @Test func `a list of fifty megabytes loads`() {
        // Long IDs keep the number of watches, and so the time of a debug build, small.
        let count = 100_000
        let padding = String(repeating: "x", count: 490)
        var watches = "- service: warehouse\n  ids:\n"
        for index in 0..<count { watches += "    - \"\(index)-\(padding)\"\n" }
        #expect(watches.utf8.count > 50_000_000)
        let result = load(kineticaService, watches: watches)
        #expect(result.diagnostics == [])
        #expect(result.configuration?.watches.count == count)
    }

    @Test func `a list of more than 64 MB is refused`() {
        var files = MemoryFiles(["/c/runwatch.yaml": kineticaService])
        files.files["/c/watches.yaml"] = Array(repeating: UInt8(ascii: "#"), count: (64 << 20) + 1)
        #expect(files.load().lines() == ["watches.yaml:0:0: cannot read 'watches.yaml': too large"])
    }

    @Test func `many watches with settings of their own load`() {
        var watches = ""
        for index in 0..<20_000 {
            watches +=
                "- {service: warehouse, id: \(index), label: l\(index), deadline: \(index % 9 + 1)h}\n"
        }
        let result = load(kineticaService, watches: watches)
        #expect(result.diagnostics == [])
        let settings = Set(
            result.configuration?.watches.map { ObjectIdentifier($0.settings) } ?? [])
        #expect(settings.count == 9)
    }

    @Test func `a hundred thousand IDs of a file load`() {
        let ids = (0..<100_000).map { "\($0)\n" }.joined()
        let files = MemoryFiles([
            "/c/runwatch.yaml": kineticaService,
            "/c/watches.yaml": "- {service: warehouse, ids_from: ids.txt}\n", "/c/ids.txt": ids,
        ])
        #expect(files.load().configuration?.watches.count == 100_000)
    }

    @Test func `one file named a thousand times is read within bounds`() {
        let entry = "- {service: warehouse, ids_from: ids.txt}\n"
        let files = MemoryFiles([
            "/c/runwatch.yaml": kineticaService,
            "/c/watches.yaml": String(repeating: entry, count: 1000),
            "/c/ids.txt": "1\n" + String(repeating: "#", count: 4 << 20),
        ])
        let result = files.load()
        #expect(result.configuration == nil)
        #expect(result.errors.contains { $0.message.contains("the files read so far hold") })
    }
}
