import RunwatchConfig
import RunwatchCore
import Testing

@Suite struct ListenTests {
    private func http(_ text: String) throws -> (HTTPSettings, [String]) {
        let result = load(text)
        return (try #require(result.configuration).http, result.lines())
    }

    @Test(arguments: ["127.0.0.1:9788", "\"[::1]:0\"", "127.0.0.1:0"])
    func `an address of this machine alone is taken without a word`(_ text: String) throws {
        let (settings, lines) = try http("http: {listen: \(text)}\n")
        #expect(lines == [])
        #expect(settings.listen?.isLoopback == true)
        #expect(settings.line == 1)
        #expect(settings.column == 16)
    }

    @Test(arguments: ["0.0.0.0:9788", "192.0.2.7:9788", "[::]:9788"])
    func `an address that others can reach is warned of at its place`(_ text: String) throws {
        let (settings, lines) = try http("log: {}\nhttp:\n  listen: \"\(text)\"\n")
        #expect(settings.listen?.description == text)
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasPrefix("runwatch.yaml:3:11: warning: 'http.listen' is open") == true)
    }

    @Test(arguments: ["log: {}\n", "http: {}\n", "http:\n"])
    func `without an address there is no listener`(_ text: String) throws {
        #expect(try http(text).0.listen == nil)
    }

    @Test func `another address is a change, another line is none`() throws {
        func configuration(_ text: String) throws -> Configuration {
            try #require(load(text).configuration)
        }
        let one = try configuration("http: {listen: 127.0.0.1:1}\n")
        let moved = try configuration("\n\nhttp:\n  listen: 127.0.0.1:1\n")
        let other = try configuration("http: {listen: 127.0.0.1:2}\n")
        #expect(ConfigurationDifference(from: one, to: moved).isEmpty)
        #expect(ConfigurationDifference(from: one, to: other).hasOtherChanges)
    }
}
