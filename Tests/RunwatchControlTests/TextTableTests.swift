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

    @Test func `no rows are no table`() {
        #expect(TextTable([.init("A")]).text(.plain) == "")
    }
}
