import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

@Suite struct ConfigurationDifferenceTests {
    private func configuration(_ main: String, _ watches: String) throws -> Configuration {
        let result = load(main, watches: watches)
        #expect(result.errors == [])
        return try #require(result.configuration)
    }

    @Test func `equal configurations do not differ, wherever their lines stand`() throws {
        let one = try configuration(
            kineticaService, "- {service: warehouse, id: 1}\n- {service: warehouse, id: 2}\n")
        let other = try configuration(
            kineticaService + "# more\n", "\n# moved\n- {service: warehouse, ids: [2, 1]}\n")
        let difference = ConfigurationDifference(from: one, to: other)
        #expect(difference.isEmpty)
        #expect(difference.description == "nothing changed")
    }

    @Test func `added, removed and changed watches are told apart`() throws {
        let one = try configuration(
            kineticaService,
            """
            - {service: warehouse, ids: [1, 2, 3]}
            - {service: warehouse, id: 4, label: old}
            - {service: warehouse, discover: {run_tag: gone}}
            """)
        let other = try configuration(
            kineticaService,
            """
            - {service: warehouse, ids: [2, 5, 6, 7]}
            - {service: warehouse, id: 3, deadline: 1h}
            - {service: warehouse, id: 4, label: new}
            - {service: warehouse, discover: {run_tag: new}}
            """)
        let difference = ConfigurationDifference(from: one, to: other)
        #expect(difference.watches.added.map(\.run) == ["5", "6", "7"])
        #expect(difference.watches.removed.map(\.run) == ["1"])
        #expect(difference.watches.changed.map(\.run) == ["3", "4"])
        #expect(
            difference.description
                == "watches: 3 added, 1 removed, 2 changed; discoveries: 1 added, 1 removed")
    }

    @Test func `services and receivers are compared with all they hold`() throws {
        let one = try configuration(
            kineticaService
                + "receivers: {a: {stdout: {}}, b: {stdout: {}}}\nlog: {level: info}\n", "")
        let other = try configuration(
            kineticaService + "    deadline: 1h\n  second: {kind: kinetica, url: \"http://b\"}\n"
                + "receivers: {a: {stdout: {format: text}}, c: {stdout: {}}}\nlog: {level: debug}\n",
            "")
        let difference = ConfigurationDifference(from: one, to: other)
        #expect(difference.services.added == ["second"])
        #expect(difference.services.changed == ["warehouse"])
        #expect(difference.receivers.added == ["c"])
        #expect(difference.receivers.removed == ["b"])
        #expect(difference.receivers.changed == ["a"])
        #expect(difference.hasOtherChanges)
    }
}
