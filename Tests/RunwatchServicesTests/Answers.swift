import RunwatchCore
import RunwatchHTTP
import RunwatchServices

/// Short forms for the tables of these tests.
func response(
    _ status: Int = 200, _ body: String, contentType: String = "application/json",
    retryAfter: RetryHint? = nil
) -> HTTPResponse {
    HTTPResponse(
        status: status, contentType: contentType, retryAfter: retryAfter, body: Array(body.utf8))
}

/// A Kinetica answer around a content.
func wrapped(
    _ content: String, status: String = "OK", message: String = ""
) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("status", status)
    writer.member("message", message)
    writer.member("data_type", "show_proc_status_response")
    writer.member("data", "")
    writer.member("data_str", content)
    writer.endObject()
    return writer.text
}

extension ServiceKind {
    /// Reads an answer about one run, or about many that are all followed.
    func read(_ response: HTTPResponse, _ scope: PollScope) -> PollAnswer {
        read(response, scope: scope) { _ in true }
    }
}

extension PollAnswer {
    var observations: [RunObservation]? {
        if case .observations(let list) = self { list } else { nil }
    }

    /// The one observation of an answer about one run.
    var observation: Observation? {
        observations?.count == 1 ? observations?.first?.observation : nil
    }

    var refusal: String? {
        if case .refused(let text) = self { text } else { nil }
    }

    var reason: PollFailureReason? {
        if case .failed(let reason, _, _) = self { reason } else { nil }
    }

    var failureMessage: String? {
        if case .failed(_, let message, _) = self { message } else { nil }
    }

    /// Every text that the answer would show to people.
    var texts: [String] {
        switch self {
        case .refused(let text), .failed(_, let text, _): [text]
        case .observations(let list):
            list.flatMap {
                [
                    $0.observation.message, $0.unknownWord ?? "",
                    String(decoding: $0.observation.detail, as: UTF8.self),
                ]
            }
        }
    }
}

/// Random damage to a body: bytes changed, dropped, doubled, cut or replaced by JSON's own marks.
struct Mutator {
    private var generator: SeededGenerator
    private static let marks = Array("{}[]\",:\\nulltruefalse0123456789-eE.u \u{0}\u{1F}é".utf8)

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func mutate(_ body: [UInt8]) -> [UInt8] {
        var body = body
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !body.isEmpty {
            let place = Int.random(in: 0..<body.count, using: &generator)
            let other = Int.random(in: 0..<body.count, using: &generator)
            let range = min(place, other)..<min(max(place, other), min(place, other) + 40)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: body[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: body[place] = Mutator.marks.randomElement(using: &generator) ?? 0
            case 2: body.removeSubrange(range)
            case 3: body.insert(contentsOf: Array(body[range]), at: place)
            case 4: body.removeSubrange(place...)
            default:
                body.insert(Mutator.marks.randomElement(using: &generator) ?? 0, at: place)
            }
        }
        return body
    }
}
