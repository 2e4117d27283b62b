import RunwatchCore
import RunwatchDelivery
import Testing

@Suite struct WebhookSignatureTests {
    static let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    static let expected = "v1,5du2Fx4xj9z9H30mxjs031NQhYb3M8L67JtbIyauCXI="
    static let body = Array(#"{"type":"job.completed"}"#.utf8)

    private func header(_ secrets: String...) throws -> String? {
        try WebhookSignature(secrets: secrets.map { Secret($0) }).header(
            id: "msg_01", timestamp: 1_700_000_000, body: Self.body)
    }

    @Test func `the known vector`() throws {
        #expect(try header(Self.secret) == Self.expected)
    }

    @Test func `a secret without the prefix is the key itself`() throws {
        #expect(try header("0123456789abcdef0123456789abcdef") == Self.expected)
    }

    @Test func `two secrets sign twice, in their order`() throws {
        let both = try #require(try header("another", Self.secret))
        let other = try #require(try header("another"))
        #expect(both == "\(other) \(Self.expected)")
        #expect(other != Self.expected)
    }

    @Test func `no secret, no signature`() throws {
        #expect(try header() == nil)
    }

    @Test(arguments: ["id", "time", "body"])
    func `every part is signed`(part: String) throws {
        let signature = try WebhookSignature(secrets: [Secret(Self.secret)])
        let header = signature.header(
            id: part == "id" ? "msg_02" : "msg_01",
            timestamp: part == "time" ? 1_700_000_001 : 1_700_000_000,
            body: part == "body" ? Self.body + [0x20] : Self.body)
        #expect(header != Self.expected)
    }

    @Test(arguments: ["whsec_", "whsec_not base64", "whsec_MDEy MzQ1", "whsec_abc", ""])
    func `a secret that cannot be read says so and shows nothing of itself`(secret: String) {
        let error = #expect(throws: WebhookSignature.SecretError.self) { _ = try header(secret) }
        let text = error?.description ?? ""
        #expect(!text.isEmpty)
        #expect(!text.contains("MDEy") && !text.contains("not base64 "))
    }

    @Test func `a long key and an empty body`() throws {
        let key = String(repeating: "k", count: 500)
        let signature = try WebhookSignature(secrets: [Secret(key)])
        #expect(signature.header(id: "a", timestamp: 0, body: [])?.count == 47)
    }
}
