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
    ].map { (path(of: $0), $0) }

    private static let name = WatchName(service: "{service}", run: "{id}")

    /// A new route does not compile here; it goes into `routes` as well.
    private static func path(of route: ControlRoute) -> String {
        switch route {
        case .status: "/v1/status"
        case .watches: "/v1/watches"
        case .watch: "/v1/watches/{service}/{id}"
        case .transitions: "/v1/watches/{service}/{id}/transitions"
        case .poll: "/v1/watches/{service}/{id}/poll"
        case .rewatch: "/v1/watches/{service}/{id}/rewatch"
        case .events: "/v1/events"
        case .eventStream: "/v1/events/stream"
        case .deliveries: "/v1/deliveries"
        case .delivery: "/v1/deliveries/{id}"
        case .redeliver: "/v1/deliveries/{id}/redeliver"
        case .redeliverAll: "/v1/deliveries/redeliver"
        case .testReceiver: "/v1/receivers/{name}/test"
        case .reload: "/v1/reload"
        case .metrics: "/metrics"
        case .health: "/healthz"
        }
    }

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
            let entry = try #require(entries.first { $0.path == path }, "\(path)")
            for method in route.methods {
                #expect(entry.methods[method] == Set(route.parameters), "\(method) \(path)")
            }
        }
    }

    @Test func `every problem and every state stands in the document`() throws {
        let text = try OpenAPITests.lines().map(String.init)
        let problems = text.compactMap { line -> String? in
            let line = line.drop { $0 == " " }
            return line.hasPrefix("- urn:") ? String(line.dropFirst(2)) : nil
        }
        #expect(problems.sorted() == Problem.Code.allCases.map(\.type).sorted())
        let states = RunState.allCases.map(\.name).joined(separator: ", ")
        #expect(text.contains { $0.contains("enum: [\(states)]") })
        #expect(text.contains("  version: \(RunwatchVersion.text)"))
    }

    // MARK: Reading the document, as far as it is needed

    private static func lines() throws -> [Substring] {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let bytes = try FileReader.read("\(root)/docs/openapi.yaml")
        return String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The entries under `paths:`: paths are indented by two, methods by four.
    private static func entries() throws -> [Entry] {
        let lines = try lines()
        let begin = try #require(lines.firstIndex(of: "paths:"))
        let end = try #require(lines.firstIndex(of: "components:"))
        var entries: [Entry] = []
        var method: String?
        var parameter: String?
        for line in lines[begin..<end].dropFirst() {
            let indent = line.prefix { $0 == " " }.count
            let text = line.dropFirst(indent)
            if indent == 2, text.hasPrefix("/"), text.hasSuffix(":") {
                entries.append(Entry(path: String(text.dropLast())))
                method = nil
            } else if indent == 4, text.hasSuffix(":"), text != "parameters:" {
                method = text.dropLast().uppercased()
                entries[entries.count - 1].methods[text.dropLast().uppercased()] = []
            }
            guard let method else { continue }
            if text.hasPrefix("- name: ") { parameter = String(text.dropFirst(8)) }
            let reference = text.firstRange(of: "#/components/parameters/")
            if let reference {
                parameter = text[reference.upperBound...].prefix { $0 != "\"" }.lowercased()
            } else if text.hasPrefix("- {name: ") {
                parameter = String(text.dropFirst(9).prefix { $0 != "," })
            }
            // What is not in the query (a header) is no parameter of the router.
            if let name = parameter, reference != nil || text.contains("in: query") {
                entries[entries.count - 1].methods[method]?.insert(name)
                parameter = nil
            }
        }
        return entries
    }
}
