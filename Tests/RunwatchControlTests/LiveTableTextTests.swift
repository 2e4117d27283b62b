import RunwatchControl
import RunwatchCore
import RunwatchLinux
import Testing

@Suite struct LiveTableTextTests {
    private func lines(
        _ watches: [WatchView], hidden: Int = 0, counts: [RunState: Int] = [:],
        trouble: LiveTableText.Trouble? = nil, columns: Int = 80, rows: Int = 24,
        style: TextStyle = .plain
    ) -> [String] {
        let shown = ListFollowMachine.Shown(watches: watches, hidden: hidden, counts: counts)
        return LiveTableText(shown, trouble: trouble, emptyText: "there are no watches").lines(
            TerminalSize(columns: columns, rows: rows), now: Samples.noon, style: style)
    }

    @Test func `a header with counts, the table, and how many more there are`() {
        let lines = lines(
            [Samples.watch("w/1"), Samples.watch("w/2", .complete)], hidden: 9988,
            counts: [.running: 9000, .complete: 990])
        #expect(
            lines == [
                "08:30:00Z · 9,990 watches: 9,000 running, 990 complete",
                "NAME  STATE     SINCE   POLLED  NEXT POLL",
                "w/1   running   3m ago  5s ago  in 7s",
                "w/2   complete  3m ago  5s ago  in 7s",
                "… and 9,988 more",
            ])
    }

    @Test func `nothing to show is said`() {
        #expect(lines([]) == ["08:30:00Z · 0 watches", "there are no watches"])
    }

    @Test func `trouble stands first`() {
        let away = LiveTableText.Trouble("the daemon is away", lasts: .seconds(3))
        let header = lines([Samples.watch("w/1")], counts: [.running: 1], trouble: away)[0]
        #expect(header == "the daemon is away (3s) · 08:30:00Z · 1 watch: 1 running")
    }

    @Test(arguments: [(80, 24), (40, 6), (12, 3), (5, 2), (1, 1)])
    func `no line is as wide as the terminal, and there are not more than it has`(
        columns: Int, rows: Int
    ) {
        let names = ["w/漢字🙂❤️" + String(repeating: "長", count: 90), "w/\u{1B}[2J\nx", "w/3"]
        var watches = names.map { Samples.watch($0) }
        watches[0].lastError = String(repeating: "e", count: 100)
        watches[1].data.label = "👩‍👩‍👧 family"
        let counts: [RunState: Int] = [.running: 3, .error: 10_000]
        for style in [TextStyle.plain, TextStyle(isColoured: true)] {
            let lines = lines(
                watches, hidden: 10_000, counts: counts, columns: columns, rows: rows, style: style)
            #expect(lines.count <= rows)
            for line in lines {
                let plain = line.replacing(/\u{1B}\[[0-9]*m/, with: "")
                #expect(TerminalText.width(plain) < max(2, columns), "\(plain)")
                #expect(!plain.unicodeScalars.contains { $0.value < 0x20 })
            }
        }
    }

    @Test func `a long name leaves room for the state`() {
        let line = lines([Samples.watch("w/" + String(repeating: "n", count: 200))])[2]
        #expect(line.contains("…  running  3m ago"))
    }
}
