import Testing

@testable import RunwatchHTTP

/// How a request's target is taken apart.
@Suite struct HTTPServerTargetTests {
    @Test(arguments: [
        ("/", []), ("", [""]), ("/a/b", ["a", "b"]), ("/a/b/", ["a", "b", ""]),
        ("//a", ["", "a"]), ("/a//b", ["a", "", "b"]), ("/a/b%2Fc", ["a", "b/c"]),
        ("/a/%2e%2E", ["a", ".."]), ("/a/../b", ["a", "..", "b"]), ("/a/%252F", ["a", "%2F"]),
        // Not encoded, as some clients send it: the mark belongs to no slash.
        ("/a/\u{301}b", ["a", "\u{301}b"]), ("/a+b", ["a+b"]),
    ])
    func `parts are what stands between slashes, unescaped one by one`(
        path: String, parts: [String]
    ) {
        let request = HTTPServerRequest(method: "GET", rawPath: path)
        #expect(request.pathParts?.map { Array($0.utf8) } == parts.map { Array($0.utf8) })
    }

    @Test(arguments: ["/a/%", "/a/%2", "/a/%GG", "/a/%FF", "/a/%00"])
    func `a broken escape has no parts`(path: String) {
        #expect(HTTPServerRequest(method: "GET", rawPath: path).pathParts == nil)
    }

    @Test(arguments: [
        ("/a", nil), ("/a%00", nil), ("/a?", nil), ("/a?x=%2F&y=%C3%A9+%25", nil),
        ("/a?x=1&y=%00%2F&z=%", "y=%00%2F"), ("/a?%GG=1", "%GG=1"), ("/a?x=%FF", "x=%FF"),
        ("/a?x=1%", "x=1%"), ("/a?x=1&\u{301}y=%0", "\u{301}y=%0"),
    ])
    func `a parameter that cannot be unescaped is named`(target: String, broken: String?) {
        #expect(
            HTTPServerTarget.brokenParameter(target).map { Array($0.utf8) }
                == broken.map { Array($0.utf8) })
    }

    @Test func `marks of the query hide behind no combining character`() {
        let (path, query) = HTTPServerTarget.split("/a?\u{301}x=\u{301}1&\u{301}y=a+\u{301}b%2B")
        #expect(path == "/a")
        #expect(
            query.map { Array($0.name.utf8) } == [Array("\u{301}x".utf8), Array("\u{301}y".utf8)])
        #expect(
            query.map { Array($0.value.utf8) }
                == [Array("\u{301}1".utf8), Array("a \u{301}b+".utf8)])
        #expect(HTTPServerTarget.split("http://host/\u{301}a?b").path == "/\u{301}a")
    }
}
