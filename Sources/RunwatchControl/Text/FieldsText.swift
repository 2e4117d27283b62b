/// Names and values, one a line, the values aligned.
struct FieldsText {
    private var fields: [(name: String, value: String)] = []

    /// Adds a field; one without a value is left out.
    /// - Parameter value: Made safe already; it may be painted.
    mutating func add(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        fields.append((name, value))
    }

    func text(_ style: TextStyle) -> String {
        let width = fields.map(\.name.count).max() ?? 0
        return fields.map { field in
            let space = String(repeating: " ", count: width - field.name.count + 2)
            return "  " + style.paint(field.name, .dim) + space + field.value + "\n"
        }.joined()
    }
}
