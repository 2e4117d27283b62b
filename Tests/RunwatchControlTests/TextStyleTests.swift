import RunwatchControl
import Testing

@Suite struct TextStyleTests {
    @Test func `colours are for terminals, and for who wants them`() {
        #expect(TextStyle(isTerminal: true, environment: [:]).isColoured)
        #expect(!TextStyle(isTerminal: false, environment: [:]).isColoured)
        #expect(!TextStyle(isTerminal: true, environment: ["NO_COLOR": "1"]).isColoured)
        #expect(TextStyle(isTerminal: true, environment: ["NO_COLOR": ""]).isColoured)
        #expect(!TextStyle(isTerminal: true, environment: ["TERM": "dumb"]).isColoured)
    }

    @Test func `paint is put around the text`() {
        #expect(TextStyle(isColoured: true).paint("x", .red) == "\u{1B}[31mx\u{1B}[0m")
        #expect(TextStyle.plain.paint("x", .red) == "x")
    }
}
