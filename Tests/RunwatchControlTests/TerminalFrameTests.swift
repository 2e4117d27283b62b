import RunwatchControl
import TestSupport
import Testing

@Suite struct TerminalFrameTests {
    @Test func `a picture is drawn over the one before, whatever their heights`() {
        var frame = TerminalFrame()
        var screen = ScreenModel(columns: 20, rows: 4)
        screen.write(Array("$ list\r\n".utf8))
        for lines in [["a", "bb", "c"], ["longer", "b"], ["x", "y", "z"], ["1"], ["2", "3"]] {
            screen.write(frame.draw(lines, columns: 20))
            #expect(screen.lines == ["$ list"] + lines)
        }
        #expect(screen.unknown.isEmpty)
    }

    @Test func `a picture may fill the height, and moves up what stood above`() {
        var frame = TerminalFrame()
        var screen = ScreenModel(columns: 10, rows: 3)
        screen.write(Array("$ list\r\n".utf8))
        for lines in [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]] {
            screen.write(frame.draw(lines, columns: 10))
            #expect(screen.lines == lines)
        }
    }

    @Test func `after another width the screen begins anew`() {
        var frame = TerminalFrame()
        var screen = ScreenModel(columns: 20, rows: 6)
        screen.write(frame.draw(["a line of text", "b"], columns: 20))
        screen.resize(columns: 10, rows: 6)
        // As a terminal does that wraps the lines again.
        screen.write(Array("\r\n\r\nxx".utf8))
        screen.write(frame.draw(["a line", "b"], columns: 10))
        #expect(screen.lines == ["a line", "b"])
    }

    @Test func `what somebody else wrote is left alone`() {
        var frame = TerminalFrame()
        var screen = ScreenModel(columns: 20, rows: 6)
        screen.write(frame.draw(["a", "b"], columns: 20))
        screen.write(TerminalFrame.leaving + Array("$ fg\r\n".utf8) + TerminalFrame.entering)
        frame.forget()
        screen.write(frame.draw(["c", "d"], columns: 20))
        #expect(screen.lines == ["a", "b", "$ fg", "c", "d"])
        #expect(!screen.isCursorShown)
        screen.write(TerminalFrame.leaving)
        #expect(screen.isCursorShown)
    }

    @Test func `a progress line never wraps, and leaves nothing`() {
        var screen = ScreenModel(columns: 12, rows: 3)
        screen.write(ProgressLine.draw("3 of 8 final · 2 running", columns: 12))
        #expect(screen.lines == ["3 of 8 f…"])
        // What a terminal shows of Ctrl-C stands on the same line, and goes with it.
        screen.write(Array("^C".utf8) + ProgressLine.erased)
        #expect(screen.text.isEmpty)
        screen.write(ProgressLine.draw("4 of 8", columns: 12))
        #expect(screen.lines == ["4 of 8"])
        screen.write(ProgressLine.erased + Array("w/1  complete\r\n".utf8).prefix(3))
        #expect(screen.lines == ["w/1"])
    }
}
