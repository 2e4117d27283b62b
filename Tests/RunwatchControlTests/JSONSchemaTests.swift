import RunwatchCore
import Testing

/// What holds the server's answers must itself be able to refuse.
@Suite struct JSONSchemaTests {
    private func faults(_ value: String, _ schema: String) throws -> [String] {
        let document = try JSONValue(
            parsing: ##"""
                {"Base": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
                 "Closed": {"$ref": "#/Base", "unevaluatedProperties": false}}
                """##)
        return JSONSchema(document: document)
            .faults(of: try JSONValue(parsing: value), against: try JSONValue(parsing: schema))
    }

    @Test(arguments: [
        (#"{"a": 1}"#, ##"{"$ref": "#/Closed"}"##),
        (#"{"a": 1, "b": 2}"#, ##"{"$ref": "#/Base"}"##),
        (
            #"{"a": 1, "b": 2}"#,
            ##"{"$ref": "#/Base", "properties": {"b": true}, "unevaluatedProperties": false}"##
        ),
        ("[1, 2]", #"{"items": {"minimum": 1, "maximum": 2}, "minItems": 2, "maxItems": 2}"#),
        (#""é""#, #"{"type": "string", "maxLength": 1, "pattern": "^[^\\x00-\\x20]$"}"#),
        (#""2026-11-22T08:30:00.123Z""#, #"{"format": "date-time"}"#),
        ("5", #"{"anyOf": [{"type": "string"}, {"const": 5}]}"#),
        (
            #"{"a": 1}"#,
            #"{"propertyNames": {"enum": ["a"]}, "additionalProperties": {"type": "integer"}}"#
        ),
    ])
    func `what fits is let through`(value: String, schema: String) throws {
        #expect(try faults(value, schema) == [])
    }

    @Test(arguments: [
        (#"{"a": 1, "b": 2}"#, ##"{"$ref": "#/Closed"}"##, "$.b: must not be there"),
        (#"{}"#, ##"{"$ref": "#/Closed"}"##, "a is missing"),
        (#"{"a": "1"}"#, ##"{"$ref": "#/Base"}"##, "$.a: type"),
        (#"{"b": 2}"#, #"{"properties": {"a": true}, "additionalProperties": false}"#, "$.b"),
        ("[1, 0]", #"{"items": {"minimum": 1}}"#, "$[1]: minimum"),
        ("[1]", #"{"minItems": 2}"#, "1 elements"), ("[1]", #"{"maxItems": 0}"#, "1 elements"),
        (#""ab""#, #"{"maxLength": 1}"#, "maxLength"), ("\"\"", #"{"minLength": 1}"#, "minLength"),
        (#""a b""#, #"{"pattern": "^[a-z]+$"}"#, "pattern"),
        ("\"\"", #"{"pattern": "("}"#, "pattern"),
        (#""noon""#, #"{"format": "date-time"}"#, "format"), ("4", #"{"const": 5}"#, "const"),
        (#""c""#, #"{"enum": ["a", "b"]}"#, "enum"), ("1.5", #"{"type": "integer"}"#, "type"),
        ("5", #"{"anyOf": [{"type": "string"}, {"const": 6}]}"#, "0 of anyOf"),
        ("5", #"{"oneOf": [{"type": "integer"}, {"const": 5}]}"#, "2 of oneOf"),
        ("5", #"{"allOf": [{"type": "integer"}, {"const": 6}]}"#, "const"),
        (#"{"b": 1}"#, #"{"propertyNames": {"enum": ["a"]}}"#, "enum"),
        ("5", #"{"multipleOf": 5}"#, "multipleOf is not known here"),
        ("5", ##"{"$ref": "#/Nothing"}"##, "leads nowhere"),
    ])
    func `what does not fit is named with its place`(
        value: String, schema: String, fault: String
    ) throws {
        let faults = try faults(value, schema)
        #expect(faults.contains { $0.contains(fault) }, "\(faults)")
    }
}
