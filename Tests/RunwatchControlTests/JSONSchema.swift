import RunwatchControl
import RunwatchCore

/// Holds values against schemas of JSON Schema 2020-12: the keywords that the API's document uses, no others.
///
/// A keyword that is not known here is a fault, so that nothing in the document goes unheld.
struct JSONSchema {
    /// What a schema says of a value.
    private struct Verdict {
        var faults: [String] = []
        /// The members that the schema, or one that it refers to, has spoken of.
        var known: Set<String> = []

        mutating func add(_ other: Verdict) {
            faults += other.faults
            known.formUnion(other.known)
        }
    }

    /// Say nothing of a value that could be held against it here.
    private static let annotations: Set<String> = [
        "description", "title", "examples", "default", "contentMediaType", "contentSchema",
    ]

    /// Where references lead.
    let document: JSONValue

    /// What is wrong with a value, each with its place; empty when it fits.
    func faults(of value: JSONValue, against schema: JSONValue) -> [String] {
        check(value, schema, "$").faults
    }

    /// What a reference within the document leads to; `nil` for nothing.
    func target(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(document as JSONValue?) {
            $0?[String($1)]
        }
    }

    private func check(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> Verdict {
        if schema == .bool(true) { return Verdict() }
        guard let keywords = schema.members else {
            return Verdict(faults: ["\(place): must not be there"])
        }
        var verdict = Verdict()
        for keyword in keywords where keyword.name != "unevaluatedProperties" {
            verdict.add(check(value, keyword, schema, place))
        }
        // Last, for it speaks of what the others have not spoken of.
        if let rest = schema["unevaluatedProperties"] {
            for member in value.members ?? [] where !verdict.known.contains(member.name) {
                verdict.faults += check(member.value, rest, "\(place).\(member.name)").faults
                verdict.known.insert(member.name)
            }
        }
        return verdict
    }

    private func check(
        _ value: JSONValue, _ keyword: JSONValue.Member, _ schema: JSONValue, _ place: String
    ) -> Verdict {
        switch keyword.name {
        case "$ref":
            let target = keyword.value.stringValue.flatMap(target)
            return target.map { check(value, $0, place) }
                ?? Verdict(faults: ["\(place): the reference leads nowhere"])
        case "allOf", "anyOf", "oneOf": return combined(value, keyword, place)
        case "properties", "additionalProperties", "propertyNames", "required":
            return members(value, keyword, schema, place)
        case "items", "minItems", "maxItems": return elements(value, keyword, place)
        case _ where JSONSchema.annotations.contains(keyword.name): return Verdict()
        default:
            let isMet = JSONSchema.isMet(keyword, by: value)
            if isMet == true { return Verdict() }
            let fault =
                isMet == nil ? "is not known here" : "\(keyword.value.text) is not met"
            return Verdict(faults: ["\(place): \(keyword.name) \(fault) by \(value.text)"])
        }
    }

    // MARK: Keywords with schemas in them

    private func combined(
        _ value: JSONValue, _ keyword: JSONValue.Member, _ place: String
    ) -> Verdict {
        let verdicts = (keyword.value.arrayValue ?? []).map { check(value, $0, place) }
        let fitting = verdicts.filter(\.faults.isEmpty)
        var verdict = Verdict()
        for each in keyword.name == "allOf" ? verdicts : fitting { verdict.add(each) }
        let isFitting =
            switch keyword.name {
            case "allOf": true
            case "anyOf": !fitting.isEmpty
            default: fitting.count == 1
            }
        if !isFitting {
            verdict.faults.append("\(place): \(fitting.count) of \(keyword.name) fit")
            for each in verdicts { verdict.faults += each.faults }
        }
        return verdict
    }

    private func members(
        _ value: JSONValue, _ keyword: JSONValue.Member, _ schema: JSONValue, _ place: String
    ) -> Verdict {
        guard let members = value.members else { return Verdict() }
        var verdict = Verdict()
        if keyword.name == "required" {
            for name in (keyword.value.arrayValue ?? []).compactMap(\.stringValue)
            where value[name] == nil {
                verdict.faults.append("\(place): \(name) is missing")
            }
            return verdict
        }
        for member in members {
            let inner = "\(place).\(member.name)"
            switch keyword.name {
            case "propertyNames":
                verdict.faults += check(.string(member.name), keyword.value, inner).faults
                continue
            case "properties":
                guard let own = keyword.value[member.name] else { continue }
                verdict.faults += check(member.value, own, inner).faults
            default:
                guard schema["properties"]?[member.name] == nil else { continue }
                verdict.faults += check(member.value, keyword.value, inner).faults
            }
            verdict.known.insert(member.name)
        }
        return verdict
    }

    private func elements(
        _ value: JSONValue, _ keyword: JSONValue.Member, _ place: String
    ) -> Verdict {
        guard let elements = value.arrayValue else { return Verdict() }
        var verdict = Verdict()
        if keyword.name == "items" {
            for (index, element) in elements.enumerated() {
                verdict.faults += check(element, keyword.value, "\(place)[\(index)]").faults
            }
            return verdict
        }
        let bound = keyword.value.integerValue ?? 0
        let isMet = keyword.name == "minItems" ? elements.count >= bound : elements.count <= bound
        if !isMet { verdict.faults.append("\(place): has \(elements.count) elements") }
        return verdict
    }

    // MARK: Keywords of one value

    /// `nil` for a keyword that is not known.
    private static func isMet(_ keyword: JSONValue.Member, by value: JSONValue) -> Bool? {
        switch keyword.name {
        case "type":
            let types = keyword.value.arrayValue ?? [keyword.value]
            return types.contains { isOf(type: $0.stringValue ?? "", value) }
        case "enum": return keyword.value.arrayValue?.contains(value) == true
        case "const": return keyword.value == value
        case "minimum", "maximum":
            guard let number = value.integerValue, let bound = keyword.value.integerValue
            else { return true }
            return keyword.name == "minimum" ? number >= bound : number <= bound
        case "minLength", "maxLength":
            guard let count = value.stringValue?.unicodeScalars.count,
                let bound = keyword.value.integerValue
            else { return true }
            return keyword.name == "minLength" ? count >= bound : count <= bound
        case "pattern":
            guard let text = value.stringValue else { return true }
            guard let pattern = keyword.value.stringValue, let regex = try? Regex(pattern)
            else { return false }
            return text.firstMatch(of: regex.matchingSemantics(.unicodeScalar)) != nil
        case "format":
            guard let text = value.stringValue, keyword.value == .string("date-time")
            else { return true }
            return Timestamp(rfc3339: text) != nil
        default: return nil
        }
    }

    private static func isOf(type: String, _ value: JSONValue) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
