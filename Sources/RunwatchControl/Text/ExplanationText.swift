package import RunwatchCore

/// Every setting as it holds, and where it comes from, for people.
package struct ExplanationText {
    /// IDs that are named; of more, the number says how many.
    private static let namedIDs = 5
    /// Longer values do not push the sources of all others aside.
    private static let widestValue = 32

    private let style: TextStyle

    package init(_ style: TextStyle) {
        self.style = style
    }

    /// Hands on block after block, each ending in a line break, with a blank line between them.
    ///
    /// - Parameter write: `false` when the reader has gone, which ends it.
    package func write(_ explanation: Explanation, _ write: (String) -> Bool) {
        var isFirst = true
        func block(_ title: String, _ settings: [ExplainedSetting], own: String) -> Bool {
            defer { isFirst = false }
            return write((isFirst ? "" : "\n") + title + "\n" + fields(settings, own: own))
        }
        if let main = explanation.main {
            let title = heading("configuration", main.name, nil)
            guard block(title, main.settings, own: "") else { return }
        }
        for (word, sections, way) in [
            ("service", explanation.services, "services"),
            ("receiver", explanation.receivers, "receivers"),
        ] {
            for section in sections {
                let title = heading(word, section.name, place(section.source))
                guard block(title, section.settings, own: "\(way).\(section.name)") else { return }
            }
        }
        for group in explanation.groups {
            let title = self.title(group, explanation.watches)
            guard block(title, group.settings, own: "") else { return }
        }
        for section in explanation.discoveries {
            let name = "\(section.name), run_tag \(section.runTag ?? "")"
            let title = heading("discovery of", name, place(section.source))
            guard block(title, section.settings, own: "") else { return }
        }
    }

    // MARK: Titles

    private func heading(_ word: String, _ name: String, _ place: String?) -> String {
        "\(word) \(style.paint(TerminalText.escape(name), .bold))"
            + (place.map { style.paint("  (\(TerminalText.escape($0)))", .dim) } ?? "")
    }

    private func title(_ group: Explanation.Group, _ watches: [WatchSpec]) -> String {
        let more = group.entries - 1
        let place =
            "\(group.file):\(group.line)"
            + (more > 0 ? " and \(more) more \(more == 1 ? "entry" : "entries")" : "")
        let count = group.count
        let named = group.members.lazy.joined().prefix(ExplanationText.namedIDs)
        let ids = named.map { watches[$0].run }
        if count == 1, let id = ids.first {
            return heading("watch", "\(group.service)/\(id)", place)
        }
        let from = group.idsFile.map { " from \(TerminalText.escape($0))" } ?? ""
        let list = ids.joined(separator: ", ") + (count > ids.count ? ", …" : "")
        let title = heading("\(count) watches of", group.service, nil)
        return title + from + ": " + TerminalText.escape(list)
            + style.paint("  (\(TerminalText.escape(place)))", .dim)
    }

    // MARK: Settings

    private func fields(_ settings: [ExplainedSetting], own: String) -> String {
        let names = settings.map(\.name.count).max() ?? 0
        let values = settings.map { TerminalText.escape(ExplanationText.text($0.value)) }
        let widths = values.map(TerminalText.width)
        let width = widths.filter { $0 <= ExplanationText.widestValue }.max() ?? 0
        return settings.indices.map { index in
            let setting = settings[index]
            func space(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
            return "  " + style.paint(setting.name, .dim) + space(names - setting.name.count + 2)
                + values[index] + space(width - widths[index]) + "  "
                + style.paint("(\(TerminalText.escape(source(setting.source, own: own))))", .dim)
                + "\n"
        }.joined()
    }

    /// `default`, the place of the block's own key, or the place and the section of another's.
    private func source(_ source: SettingSource, own: String) -> String {
        guard case .key(let way, _, _) = source, let place = place(source) else { return "default" }
        guard let dot = way.lastIndex(of: ".") else { return place }
        let section = way[..<dot]
        let isOther =
            section == "defaults" || section.hasPrefix("defaults.")
            || section.hasPrefix("services.")
        let isOwn = !own.isEmpty && (section == own || section.hasPrefix(own + "."))
        return isOther && !isOwn ? "\(place), \(section)" : place
    }

    private func place(_ source: SettingSource) -> String? {
        guard case .key(_, let file, let line) = source else { return nil }
        return "\(file):\(line)"
    }

    /// A value as it would be written.
    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "none"
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): "\(number)"
        case .number(let number):
            number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
        case .string(let text): text
        case .array(let elements):
            elements.isEmpty ? "none" : elements.map(text).joined(separator: ", ")
        case .object: "…"
        }
    }
}
