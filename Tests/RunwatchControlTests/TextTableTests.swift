import RunwatchControl
import Testing

@Suite struct TextTableTests {
    @Test func `columns are aligned, and empty ones left out`() {
        var table = TextTable([
            .init("NAME"), .init("NOTHING"), .init("COUNT", isRightAligned: true), .init("NOTE"),
        ])
        table.append(["漢字", "", "7", ""])
        table.append(["a\nb", "", "1234567", "n"])
        #expect(
            table.text(.plain, indent: "> ") == """
                > NAME    COUNT  NOTE
                > 漢字        7
                > a\\nb  1234567  n

                """)
    }

    @Test func `paint does not count as width`() {
        var table = TextTable([.init("A"), .init("B")])
        table.append([.init("x", .red), "y"])
        table.append(["longer", "z"])
        let coloured = table.text(TextStyle(isColoured: true))
        #expect(coloured.contains("\u{1B}[31mx\u{1B}[0m       y\n"))
    }

    @Test func `lines end at the width, painted or not`() {
        var table = TextTable([.init("NAME"), .init("NUMBER", isRightAligned: true), .init("NOTE")])
        table.append([.init("漢字漢字", .red), "7", "a note"])
        #expect(table.lines(.plain, width: 16) == ["NAME      NUMBER", "漢字漢字       7"])
        #expect(table.lines(.plain, width: 19).last == "漢字漢字       7  …")
        #expect(table.lines(.plain, width: 6).last == "漢字…")
        let painted = table.lines(TextStyle(isColoured: true), width: 6)
        #expect(painted.last == "\u{1B}[31m漢字…\u{1B}[0m")
    }

    @Test func `no rows are no table`() {
        #expect(TextTable([.init("A")]).text(.plain) == "")
    }
}
