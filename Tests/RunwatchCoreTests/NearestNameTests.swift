import RunwatchCore
import TestSupport
import Testing

@Suite struct NearestNameTests {
    private let names = [
        "retry", "timeout", "not_found_grace", "warning", "krixik", "on", "url", "id",
    ]

    @Test(arguments: [
        ("retrys", "retry"), ("Retry", "retry"), ("rerty", "retry"), ("tiemout", "timeout"),
        ("not-found-grace", "not_found_grace"), ("grace", "not_found_grace"), ("warn", "warning"),
        ("kirxik", "krixik"), ("ON", "on"), ("uri", "url"),
    ])
    func `a slip finds its name`(_ text: String, _ name: String) {
        #expect(NearestName.find(text, among: names) == name)
    }

    @Test(arguments: [
        "", "banana", "no", "ix", "q", "deadline", String(repeating: "retry", count: 20),
    ])
    func `what is far from every name finds none`(_ text: String) {
        #expect(NearestName.find(text, among: names) == nil)
    }

    @Test func `the nearest of several wins`() {
        #expect(NearestName.find("warehose", among: ["warehouses", "warehouse"]) == "warehouse")
    }
}
