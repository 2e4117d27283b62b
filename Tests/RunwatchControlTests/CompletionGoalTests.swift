import RunwatchControl
import Testing

@Suite struct CompletionGoalTests {
    private static func option(_ names: String..., value: Bool = false) -> CommandOutline.Option {
        CommandOutline.Option(names: names, takesValue: value, help: "Help of it.")
    }

    private static let common = [option("--json"), option("--socket", value: true)]

    private static func verb(
        _ name: String, _ options: [CommandOutline.Option] = [],
        _ operands: [CommandOutline.Operand] = []
    ) -> CommandOutline.Verb {
        CommandOutline.Verb(name: name, options: options + common, operands: operands)
    }

    private static let watches = [CommandOutline.Operand(name: "service/id", isRepeating: true)]

    static let outline = CommandOutline(verbs: [
        verb(
            "list",
            [
                option("--service", value: true), option("--state", value: true),
                option("--group", value: true), option("--active"),
            ]),
        verb("show", [], [CommandOutline.Operand(name: "service/id")]),
        verb("wait", [option("--timeout", value: true)], watches), verb("poll", [], watches),
        verb("rewatch", [], watches), verb("remove", [], watches),
        verb(
            "add", [option("--notify", value: true), option("--label", value: true)],
            [
                CommandOutline.Operand(name: "service"),
                CommandOutline.Operand(name: "id", isRepeating: true),
            ]),
        verb("events", [option("-f", "--follow")]),
        verb("deliveries", [option("--receiver", value: true)]),
        verb("redeliver", [], [CommandOutline.Operand(name: "id", isRepeating: true)]),
        verb("test-receiver", [], [CommandOutline.Operand(name: "name")]),
        verb("check", [], [CommandOutline.Operand(name: "file")]),
        CommandOutline.Verb(
            name: "help", operands: [CommandOutline.Operand(name: "subcommands", isRepeating: true)]
        ),
    ])

    private func goal(_ words: String...) -> CompletionGoal {
        CompletionGoal(words, in: CompletionGoalTests.outline)
    }

    @Test(arguments: [
        (["sh"], CompletionGoal.Kind.verb), ([], .verb), (["--json", ""], .verb),
        (["help", ""], .verb), (["help", "show", ""], .nothing), (["no-verb", ""], .nothing),
        (["show", ""], .watch(.all)), (["show", "w/1", ""], .nothing),
        (["wait", "w/1", ""], .watch(.preferablyActive)), (["poll", ""], .watch(.active)),
        (["rewatch", ""], .watch(.ended)), (["remove", ""], .watch(.transient)),
        (["add", ""], .service), (["add", "w", ""], .nothing),
        (["add", "--notify", ""], .receivers),
        (["add", "--label", ""], .nothing), (["list", "--service", ""], .service),
        (["list", "--service=w"], .service), (["list", "--state=a"], .states),
        (["list", "--group", ""], .group), (["list", "--active", ""], .nothing),
        (["list", "--active=x"], .nothing), (["list", "--no-option=x"], .nothing),
        (["wait", "--timeout", ""], .nothing),
        (["wait", "--timeout", "1m", ""], .watch(.preferablyActive)),
        (["deliveries", "--receiver", ""], .receiver), (["test-receiver", ""], .receiver),
        (["redeliver", ""], .failedDelivery), (["check", ""], .file), (["--socket", ""], .file),
        (["show", "--socket=", ""], .watch(.all)), (["show", "--", "--json"], .watch(.all)),
        (["show", "--socket", "--", "--"], .option([option("--json")])),
    ])
    func `the words before decide what comes`(_ words: [String], _ kind: CompletionGoal.Kind) {
        #expect(CompletionGoal(words, in: CompletionGoalTests.outline).kind == kind)
    }

    @Test func `the value of an option with an equals sign begins behind it`() {
        let goal = goal("list", "--service=ware=")
        #expect(goal.lead == "--service=")
        #expect(goal.prefix == "ware=")
    }

    @Test func `options that stand already are not offered again`() {
        guard case .option(let options) = goal("list", "--service=a", "--active", "-").kind else {
            Issue.record("no options")
            return
        }
        #expect(options.map(\.names) == [["--state"], ["--group"], ["--json"], ["--socket"]])
    }

    @Test func `the socket is found wherever it stands`() {
        #expect(goal("--socket", "/a b", "show", "").socket == "/a b")
        #expect(goal("show", "--socket=/a", "").socket == "/a")
        #expect(goal("show", "--", "--socket=/a", "").socket == nil)
        #expect(goal("show", "").socket == nil)
        #expect(goal("wait", "w/1", "w/2", "").given == ["w/1", "w/2"])
    }

    @Test func `a description of another form is refused`() {
        #expect(CommandOutline(dumpedHelp: "{}") == nil)
        #expect(CommandOutline(dumpedHelp: "no JSON") == nil)
    }
}
