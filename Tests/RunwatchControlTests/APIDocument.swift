import RunwatchControl
import RunwatchCore
import RunwatchHTTP

/// The OpenAPI document, as what tells whether an answer is right.
struct APIDocument {
    /// A method of a path.
    struct Operation: CustomStringConvertible, Sendable {
        var method: String
        /// As in the document: `/v1/watches/{service}/{id}`.
        var path: String
        var value: JSONValue

        var description: String { "\(method) \(path)" }
        var takesBody: Bool { value["requestBody"] != nil }

        func has(_ status: Int) -> Bool { value["responses"]?["\(status)"] != nil }

        /// The path with something in each of its places.
        var examplePath: String {
            path.replacing("{service}", with: "warehouse").replacing("{name}", with: "ops")
                .replacing(
                    "{id}", with: path.contains("/watches/") ? "12" : SchemaSamples.deliveryID)
        }
    }

    let value: JSONValue
    let schema: JSONSchema
    let operations: [Operation]

    init() throws {
        let value = try JSONValue(parsing: ControlServer.document)
        self.value = value
        schema = JSONSchema(document: value)
        operations = (value["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).filter { $0.name != "parameters" }
                .map { Operation(method: $0.name.uppercased(), path: path.name, value: $0.value) }
        }
    }

    func operation(_ name: String) -> Operation? {
        operations.first { $0.description == name }
    }

    /// The thing itself, or what it refers to.
    func followed(_ value: JSONValue) -> JSONValue {
        value["$ref"]?.stringValue.flatMap(schema.target) ?? value
    }

    /// What is wrong with an answer by the document; empty when it fits.
    /// - Parameter body: The message to be held; of a stream, one message.
    func faults(
        of answer: HTTPServerResponse, body: JSONValue, to operation: Operation
    ) -> [String] {
        guard let given = operation.value["responses"]?["\(answer.status)"] else {
            return ["\(operation): \(answer.status) is not in the document"]
        }
        let response = followed(given)
        var faults: [String] = []
        for header in response["headers"]?.members ?? [] {
            let wanted = followed(header.value)
            let text = answer.headers.first { $0.name == header.name }?.value
            if let text {
                faults += schema.faults(of: .string(text), against: wanted["schema"] ?? .null)
            } else if wanted["required"] == .bool(true) {
                faults.append("there is no header \(header.name)")
            }
        }
        // What is said beyond the usual has to stand in the document too.
        for header in answer.headers
        where header.name != "content-type" && response["headers"]?[header.name] == nil {
            faults.append("header \(header.name) is not in the document")
        }
        let kind = answer.headers.first { $0.name == "content-type" }?.value ?? ""
        let type = String(kind.prefix { $0 != ";" })
        guard let wanted = response["content"]?[type]?["schema"] else {
            return faults + ["content type '\(type)' is not in the document"]
        }
        faults += schema.faults(of: body, against: wanted)
        return faults.map { "\(operation): \(answer.status): \($0)" }
    }
}
