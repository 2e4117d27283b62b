import RunwatchCore
import RunwatchDaemon
import Testing

@Suite struct DaemonMetricsTests {
    private let families = DaemonMetrics.families(of: .whole())

    private func values(_ name: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for sample in families.first(where: { $0.exposedName == name })?.samples ?? [] {
            guard case .number(let value) = sample.value else { continue }
            values[sample.labels.joined(separator: " ")] = value
        }
        return values
    }

    @Test func `each family has a name of its own, and every sample labels of its own`() {
        // In OpenMetrics the names of families and those of their samples are one set.
        #expect(Set(families.map(\.name)).count == families.count)
        #expect(Set(families.map(\.exposedName)).count == families.count)
        for family in families {
            #expect(!family.samples.isEmpty, "\(family.name)")
            #expect(Set(family.samples.map(\.labels)).count == family.samples.count)
            #expect(family.samples.allSatisfy { $0.labels.count == family.labels.count })
        }
    }

    @Test func `names, units and words follow the practices`() {
        for family in families {
            let name = family.name
            #expect(name.wholeMatch(of: /(runwatch|process)(_[a-z]+)+/) != nil, "\(name)")
            #expect(!name.hasSuffix("_total") && !name.hasSuffix("_info"), "\(name)")
            #expect(family.unit.map { name.hasSuffix("_" + $0) } ?? true, "\(name)")
            for unit in ["seconds", "bytes"] where name.hasSuffix(unit) {
                #expect(family.unit == unit, "\(name)")
            }
            #expect(family.help.hasSuffix(".") && !family.help.contains("\n"), "\(name)")
            #expect(!family.labels.contains("le"))
            let isHistogram = family.samples.allSatisfy {
                if case .histogram = $0.value { true } else { false }
            }
            #expect(isHistogram == (family.kind == .histogram), "\(name)")
        }
    }

    @Test func `labels are names of the configuration and words of our own`() {
        let known: Set<String> = [
            "service", "outcome", "state", "health", "receiver", "type", "route", "status",
            "version",
        ]
        for family in families { #expect(known.isSuperset(of: family.labels), "\(family.name)") }
    }

    @Test func `services and receivers have their figures, also what did not occur`() {
        let polls = values("runwatch_polls_total")
        #expect(polls["warehouse answered"] == 40)
        #expect(polls["warehouse throttled"] == 2)
        #expect(polls["krixik timeout"] == 0)
        #expect(values("runwatch_transitions_total")["krixik complete"] == 3)
        #expect(values("runwatch_transitions_total")["krixik lost"] == 0)
        #expect(values("runwatch_service_health")["krixik degraded"] == 1)
        #expect(values("runwatch_service_health")["krixik up"] == 0)
        #expect(values("runwatch_service_up")["krixik"] == 0)
        #expect(values("runwatch_polls_in_flight_limit")["krixik"] == 8)
        #expect(values("runwatch_polls_per_second_limit") == ["warehouse": 20])
        #expect(values("runwatch_service_pause_seconds")["warehouse"] == 7)
        #expect(values("runwatch_deliveries_total")["log failed"] == 0)
        #expect(values("runwatch_events_total")["run.complete"] == 9)
        #expect(values("runwatch_events_total")["service.down"] == 0)
        #expect(values("runwatch_events_total")["receiver.test"] == nil)
    }

    @Test func `a receiver that is owed nothing shows so, and one that left what it is owed`() {
        #expect(values("runwatch_deliveries_pending") == ["left": 1, "log": 0, "ops": 4])
        #expect(values("runwatch_deliveries_failed") == ["left": 0, "log": 0, "ops": 2])
        // The first one's event is from the future: a clock was set.
        #expect(
            values("runwatch_oldest_pending_delivery_age_seconds")
                == ["left": 0, "log": 0, "ops": 120])
    }

    @Test func `what the database cannot say is left out, and the rest is there`() {
        var snapshot = MetricsSnapshot.whole()
        snapshot.states = nil
        snapshot.backlog = nil
        snapshot.database.size = nil
        let names = Set(
            DaemonMetrics.families(of: snapshot).filter { !$0.samples.isEmpty }.map(\.exposedName))
        let missing = Set(families.map(\.exposedName)).subtracting(names)
        #expect(
            missing == [
                "runwatch_watches", "runwatch_deliveries_pending", "runwatch_deliveries_failed",
                "runwatch_oldest_pending_delivery_age_seconds",
                "runwatch_store_database_size_bytes",
            ])
    }

    @Test func `every family stands in the page of metrics, with kind, unit and labels`() throws {
        var rows: [String: [String]] = [:]
        for line in try Project.text("Sources/RunwatchDaemon/Runwatch.docc/Metrics.md").split(
            separator: "\n")
        {
            let cells = line.split(separator: "|").map {
                $0.split(separator: " ").map(String.init)
            }
            guard cells.count == 5, let name = cells[0].first, cells[0].count == 1,
                name.hasPrefix("`runwatch_") || name.hasPrefix("`process_")
            else { continue }
            #expect(rows[name] == nil, "\(name) stands twice")
            rows[name] = cells[1] + ["/"] + cells[2] + ["/"] + cells[3]
        }
        for family in families {
            let row = rows.removeValue(forKey: "`\(family.exposedName)`")
            let expected =
                [family.kind.rawValue, "/"] + (family.unit.map { [$0] } ?? []) + ["/"]
                + family.labels.map { "`\($0)`" }
            #expect(row == expected, "\(family.exposedName)")
        }
        #expect(rows.isEmpty, "no such metrics: \(rows.keys.sorted())")
    }
}
