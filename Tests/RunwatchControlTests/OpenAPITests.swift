import RunwatchControl
import RunwatchCore
import RunwatchLinux
import Testing

/// The OpenAPI document and the router say the same.
@Suite struct OpenAPITests {
    /// What the document says of one path.
    private struct Entry {
        var path: String
        /// In upper case, with the query parameters of each.
        var methods: [String: Set<String>] = [:]
    }

    /// Every route with the path that the document has for it.
    private static let routes: [(path: String, route: ControlRoute)] = [
        ControlRoute.status, .watches, .watch(name), .transitions(name), .poll(name),
        .rewatch(name), .events, .eventStream, .deliveries, .delivery("{id}"), .redeliver("{id}"),
        .redeliverAll, .testReceiver("{name}"), .reload, .metrics, .health,
        .readiness, .document,
    ].map { ($0.pattern, $0) }

    private static let name = WatchName(service: "{service}", run: "{id}")

    @Test func `every path and method of the document is routed`() throws {
        let entries = try OpenAPITests.entries()
        #expect(entries.count > 5)
        for entry in entries {
            let parts = entry.path.split(separator: "/").map(String.init)
            let route = try #require(ControlRoute(parts: parts), "\(entry.path)")
            #expect(Set(entry.methods.keys) == Set(route.methods), "\(entry.path)")
        }
    }

    @Test func `every route stands in the document, with its parameters`() throws {
        let entries = try OpenAPITests.entries()
        for (path, route) in OpenAPITests.routes {
            let parts = path.split(separator: "/").map(String.init)
            #expect(ControlRoute(parts: parts) == route, "\(path)")
            #expect(route.pattern == path)
            let entry = try #require(entries.first { $0.path == path }, "\(path)")
            for method in route.methods {
                #expect(entry.methods[method] == Set(route.parameters(method)), "\(method) \(path)")
            }
        }
    }

    @Test func `every problem and every state stands in the document`() throws {
        let document = try OpenAPITests.document()
        let schemas = try #require(document["components"]?["schemas"])
        let problems = schemas["Problem"]?["properties"]?["type"]?["enum"]?.arrayValue ?? []
        #expect(
            problems.compactMap(\.stringValue).sorted()
                == Problem.Code.allCases.map(\.type).sorted())
        let states = schemas["State"]?["enum"]?.arrayValue ?? []
        #expect(states.compactMap(\.stringValue) == RunState.allCases.map(\.name))
        #expect(document["info"]?["version"]?.stringValue == RunwatchVersion.text)
    }

    @Test func `every reference within the document leads somewhere`() throws {
        let document = try OpenAPITests.document()
        var count = 0
        OpenAPITests.references(document) { reference in
            count += 1
            #expect(OpenAPITests.find(reference, document) != nil, "\(reference)")
        }
        #expect(count > 20)
    }

    // MARK: Reading the document

    private static func document() throws -> JSONValue {
        try JSONValue(parsing: ControlServer.document)
    }

    private static func entries() throws -> [Entry] {
        let document = try document()
        let paths = try #require(document["paths"]?.members)
        return paths.map { path in
            var entry = Entry(path: path.name)
            // What the methods of a path have in common are the parts of the path.
            for method in path.value.members ?? [] where method.name != "parameters" {
                entry.methods[method.name.uppercased()] = queryNames(method.value, document)
            }
            return entry
        }
    }

    /// What is not in the query (a header, a part of the path) is no parameter of the router.
    private static func queryNames(_ method: JSONValue, _ document: JSONValue) -> Set<String> {
        var names: Set<String> = []
        for parameter in method["parameters"]?.arrayValue ?? [] {
            let reference = parameter["$ref"]?.stringValue
            let whole = reference.flatMap { find($0, document) } ?? parameter
            guard whole["in"]?.stringValue == "query", let name = whole["name"]?.stringValue
            else { continue }
            names.insert(name)
        }
        return names
    }

    private static func find(_ reference: String, _ document: JSONValue) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(document as JSONValue?) {
            $0?[String($1)]
        }
    }

    private static func references(_ value: JSONValue, _ body: (String) -> Void) {
        if let reference = value["$ref"]?.stringValue { body(reference) }
        for member in value.members ?? [] { references(member.value, body) }
        for element in value.arrayValue ?? [] { references(element, body) }
    }
}
