import RunwatchCore
import Testing

@Suite struct SecretTests {
    struct Holder {
        var name = "n"
        var secret = Secret("open-sesame")
    }

    @Test func `a secret is never shown`() {
        let secret = Secret("open-sesame")
        var dumped = ""
        dump(Holder(), to: &dumped)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(Holder())",
            "\([secret])", "\(Optional(secret) as Any)", dumped,
        ]
        for text in texts {
            #expect(!text.contains("sesame"))
            #expect(text.contains("***"))
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(secret.reveal() == "open-sesame")
        #expect(!secret.isEmpty && Secret("").isEmpty)
    }

    @Test(arguments: [
        ("", ""), ("nothing here", "nothing here"), ("geheim", "***"), ("a geheim b", "a *** b"),
        ("geheimgeheim", "******"), ("geheigeheim", "gehei***"), ("xgeheim", "x***"),
        ("gehei", "gehei"), ("é geheim é", "é *** é"), ("Geheim", "Geheim"),
    ])
    func `a secret is taken out of a text`(_ text: String, _ expected: String) {
        #expect(Secret("geheim").redacted(from: text) == expected)
    }

    @Test func `secrets of less than four bytes are left alone`() {
        #expect(Secret("abc").redacted(from: "abcabc") == "abcabc")
        #expect(Secret("").redacted(from: "abc") == "abc")
        #expect(Secret("öö").redacted(from: "-öö-") == "-***-")
    }
}
