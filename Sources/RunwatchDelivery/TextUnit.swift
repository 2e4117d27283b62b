/// What a service counts the length of a text in.
enum TextUnit: Sendable {
    case bytes
    /// Where services say "characters", and may mean code points: never fewer than those.
    case codeUnits

    func size(of text: some StringProtocol) -> Int {
        switch self {
        case .bytes: text.utf8.count
        case .codeUnits: text.utf16.count
        }
    }
}
