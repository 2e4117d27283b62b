import RunwatchCore
import RunwatchTemplate

/// A template of a receiver's configuration, parsed once.
struct MessageTemplate: Sendable {
    /// Why a message cannot be written; for people.
    struct Failure: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// No receiver takes a larger body, and a template can make one of any size.
    static let longestOutput = 1 << 20

    /// Where it stands in the configuration: `body`, `text`.
    private let key: String
    private let template: Result<Template, Template.Fault>

    /// - Parameter key: Where it stands in the configuration, for messages.
    init(_ text: String, key: String) {
        self.key = key
        template = Result { () throws(Template.Fault) in try Template(text) }
    }

    /// Writes the template for one message.
    func render(_ value: JSONValue, escape: Template.Escape) throws(Failure) -> String {
        let template: Template
        switch self.template {
        case .success(let parsed): template = parsed
        // The configuration is checked before it gets here; should it not be, nothing is lost by it.
        case .failure(let fault): throw failure("has a fault: \(fault)")
        }
        do {
            return try template.render(
                value, escape: escape, limit: MessageTemplate.longestOutput)
        } catch {
            throw failure("cannot be written for this message: \(error)")
        }
    }

    private func failure(_ words: String) -> Failure {
        let text = "the template under '\(key)' \(words)"
        return Failure(description: PrintableText.truncated(PrintableText.escaped(text), to: 400))
    }
}
