import RunwatchCore
import RunwatchDaemon
import Testing

@testable import RunwatchConfig

/// The alert rules and the dashboard that ship speak of figures that there are.
@Suite struct MonitoringFileTests {
    /// The labels of each name that a query can use.
    ///
    /// What Prometheus adds to every sample is among them, and `up`, which it makes itself.
    private static let known: [String: Set<String>] = {
        var known: [String: Set<String>] = ["up": ["job", "instance"]]
        for family in DaemonMetrics.families(of: .whole()) {
            let labels = Set(family.labels).union(["job", "instance"])
            guard family.kind == .histogram else {
                known[family.exposedName] = labels
                continue
            }
            known[family.name + "_bucket"] = labels.union(["le"])
            known[family.name + "_sum"] = labels
            known[family.name + "_count"] = labels
        }
        return known
    }()

    /// Holds a query to what there is: names, and labels in braces and behind `by` and `on`.
    private static func check(_ query: String) {
        var used: Set<String> = []
        for match in query.matches(of: /((?:runwatch|process)_[a-z_]+|\bup)\b(?:\{([^}]*)\})?/) {
            let name = String(match.1)
            guard let labels = known[name] else {
                Issue.record("no such metric: \(name) in \(query)")
                continue
            }
            used.formUnion(labels)
            for matcher in (match.2 ?? "").split(separator: ",") {
                let label = matcher.drop { $0 == " " }.prefix { $0 != "=" && $0 != "!" }
                #expect(labels.contains(String(label)), "\(name) has no label \(label)")
            }
        }
        #expect(!used.isEmpty, "nothing of ours in \(query)")
        for match in query.matches(of: /\b(?:by|on)\s*\(([^)]*)\)/) {
            for label in match.1.split(separator: ",") {
                let label = String(label.filter { $0 != " " })
                #expect(used.contains(label), "no label \(label) in \(query)")
            }
        }
    }

    // MARK: Alerts

    private struct Rule {
        var fields: [String: String] = [:]
        var labels: [String: String] = [:]
        var annotations: [String: String] = [:]
    }

    private static func pairs(_ node: YAMLNode) -> [(String, YAMLNode)] {
        var pairs: [(String, YAMLNode)] = []
        var children = node.children
        while let key = children.next(), let value = children.next() {
            pairs.append((key.text, value))
        }
        return pairs
    }

    private static func texts(_ node: YAMLNode) -> [String: String] {
        Dictionary(pairs(node).map { ($0.0, $0.1.text) }, uniquingKeysWith: { $1 })
    }

    private static func rules() throws -> [Rule] {
        try YAMLComposer.document(try Project.bytes("config/alerts.yaml")) { root in
            guard let root else { return [] }
            let groups = pairs(root).filter { $0.0 == "groups" }.flatMap { Array($0.1.children) }
            return groups.flatMap { group in
                pairs(group).filter { $0.0 == "rules" }.flatMap { Array($0.1.children) }
            }.map { node in
                let parts = Dictionary(pairs(node), uniquingKeysWith: { $1 })
                return Rule(
                    fields: texts(node), labels: parts["labels"].map(texts) ?? [:],
                    annotations: parts["annotations"].map(texts) ?? [:])
            }
        }
    }

    @Test func `every alert asks for figures that there are, and waits`() throws {
        let rules = try MonitoringFileTests.rules()
        #expect(rules.count >= 7)
        #expect(Set(rules.map { $0.fields["alert"] }).count == rules.count)
        for rule in rules {
            MonitoringFileTests.check(try #require(rule.fields["expr"]))
            let wait = try #require(rule.fields["for"].flatMap { DurationText.parse($0) })
            #expect(wait >= .seconds(60))
            #expect(["critical", "warning"].contains(rule.labels["severity"]))
        }
    }

    @Test func `every alert says what it is and what to do, with labels that it has`() throws {
        for rule in try MonitoringFileTests.rules() {
            let query = try #require(rule.fields["expr"])
            let summary = try #require(rule.annotations["summary"])
            let description = try #require(rule.annotations["description"])
            #expect(summary.count < 80 && description.count > 80)
            for match in (summary + description).matches(of: /\$labels\.([a-z_]+)/) {
                let names = query.matches(of: /(?:runwatch|process)_[a-z_]+|\bup\b/)
                let labels = names.compactMap { MonitoringFileTests.known[String($0.0)] }
                #expect(labels.contains { $0.contains(String(match.1)) }, "\(match.1) in \(query)")
            }
        }
    }

    @Test(arguments: [
        "runwatch_oldest_pending_delivery_age_seconds", "runwatch_service_health",
        "runwatch_poll_lateness_seconds_bucket", "runwatch_config_last_reload_successful",
        "up{job", "runwatch_deliveries_total{outcome=\"failed\"}", "runwatch_store_writable",
    ])
    func `what has to be alerted on is`(_ figure: String) throws {
        let queries = try MonitoringFileTests.rules().compactMap { $0.fields["expr"] }
        #expect(queries.contains { $0.contains(figure) })
    }

    // MARK: The dashboard

    private static func dashboard() throws -> JSONValue {
        try JSONValue(parsing: try Project.bytes("config/grafana-dashboard.json"))
    }

    @Test func `every panel asks for figures that there are`() throws {
        let panels = try #require(try MonitoringFileTests.dashboard()["panels"]?.arrayValue)
        let graphs = panels.filter { $0["type"]?.stringValue != "row" }
        #expect(graphs.count > 20)
        for panel in graphs {
            let targets = try #require(panel["targets"]?.arrayValue)
            #expect(!targets.isEmpty)
            #expect(panel["title"]?.stringValue != nil && panel["description"]?.stringValue != nil)
            #expect(panel["datasource"]?["uid"] == .string("${datasource}"))
            let names = targets.compactMap { $0["refId"]?.stringValue }
            #expect(Set(names).count == targets.count)
            for target in targets {
                // Variables of Grafana are values, not names.
                MonitoringFileTests.check(try #require(target["expr"]?.stringValue))
                #expect(target["datasource"]?["uid"] == .string("${datasource}"))
            }
        }
    }

    @Test func `panels have numbers and places of their own`() throws {
        let panels = try #require(try MonitoringFileTests.dashboard()["panels"]?.arrayValue)
        let numbers = panels.compactMap { $0["id"]?.integerValue }
        #expect(numbers.count == panels.count && Set(numbers).count == panels.count)
        var taken: Set<String> = []
        for panel in panels {
            let place = try #require(panel["gridPos"])
            let (x, y) = (try number(place["x"]), try number(place["y"]))
            let (w, h) = (try number(place["w"]), try number(place["h"]))
            #expect(x + w <= 24)
            for column in x..<x + w {
                for row in y..<y + h {
                    let isNew = taken.insert("\(column) \(row)").inserted
                    #expect(isNew, "two panels at \(column), \(row)")
                }
            }
        }
    }

    private func number(_ value: JSONValue?) throws -> Int {
        Int(try #require(value?.integerValue))
    }

    @Test func `variables are defined, and the source of data is one of them`() throws {
        let dashboard = try MonitoringFileTests.dashboard()
        let variables = try #require(dashboard["templating"]?["list"]?.arrayValue)
        let names = Set(variables.compactMap { $0["name"]?.stringValue })
        #expect(variables.first?["type"] == .string("datasource"))
        for variable in variables.dropFirst() {
            MonitoringFileTests.check(try #require(variable["definition"]?.stringValue))
        }
        let text = try Project.text("config/grafana-dashboard.json")
        for match in text.matches(of: /\$\{?([a-z_]+)/) where !match.1.hasPrefix("__") {
            #expect(names.contains(String(match.1)), "no variable \(match.1)")
        }
        #expect((dashboard["schemaVersion"]?.integerValue ?? 0) >= 39)
        #expect(dashboard["id"] == nil, "a number of somebody's own Grafana")
    }

    @Test func `every figure that is alerted on has a panel`() throws {
        let dashboard = try Project.text("config/grafana-dashboard.json")
        for rule in try MonitoringFileTests.rules() {
            let query = try #require(rule.fields["expr"])
            for match in query.matches(of: /runwatch_[a-z_]+/) {
                #expect(dashboard.contains(match.0), "no panel for \(match.0)")
            }
        }
    }
}
