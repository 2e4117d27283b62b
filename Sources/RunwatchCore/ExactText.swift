/// Text that is equal to another only byte by byte.
///
/// `String` takes canonically equivalent texts for the same: `é` as one code point and as two. To a service
/// they are two IDs, and to the database as well.
package struct ExactText: Hashable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package init(stringLiteral text: String) {
        self.init(text)
    }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        areSame(left.text, right.text)
    }

    /// Whether two texts are the same bytes.
    package static func areSame(_ left: String, _ right: String) -> Bool {
        // What is not even equivalent is told apart fast, and nearly everything is that or ASCII.
        left == right && left.utf8.elementsEqual(right.utf8)
    }
}
