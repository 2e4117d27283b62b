import RunwatchCore

extension Explanation {
    /// A piece is handed on when it has grown so far.
    private static let pieceSize = 1 << 16

    /// Writes itself as an object, and hands on what is written whenever that is much.
    ///
    /// - Returns: `false` when the reader has gone.
    func write(to writer: inout JSONWriter, _ write: ([UInt8]) -> Bool) -> Bool {
        writer.beginObject()
        if let main {
            writer.key("configuration")
            main.write(to: &writer)
        }
        for (name, sections) in [
            ("services", services), ("receivers", receivers), ("discoveries", discoveries),
        ] where main != nil {
            writer.key(name)
            writer.beginArray()
            for section in sections { section.write(to: &writer) }
            writer.endArray()
        }
        writer.key("watches")
        writer.beginArray()
        for group in groups {
            guard self.write(group, to: &writer, write) else { return false }
        }
        writer.endArray()
        writer.endObject()
        return true
    }

    /// Writes each watch of a group with all of its settings.
    private func write(
        _ group: Group, to writer: inout JSONWriter, _ write: ([UInt8]) -> Bool
    ) -> Bool {
        var settings = JSONWriter()
        settings.settings(group.settings)
        for members in group.members {
            for watch in watches[members] {
                writer.beginObject()
                writer.member("name", watch.name.description)
                writer.member("origin", watch.origin.description)
                writer.key("settings")
                writer.raw(settings.bytes)
                writer.endObject()
                if writer.bytes.count >= Explanation.pieceSize {
                    guard write(writer.takeBytes()) else { return false }
                }
            }
        }
        return true
    }
}

extension Explanation.Section {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        if runTag == nil {
            writer.member("name", name)
        } else {
            writer.member("service", name)
            writer.member("run_tag", runTag)
        }
        writer.source(source)
        writer.key("settings")
        writer.settings(settings)
        writer.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func settings(_ settings: [ExplainedSetting]) {
        beginObject()
        for setting in settings {
            key(setting.name)
            beginObject()
            key("value")
            value(setting.value)
            source(setting.source)
            endObject()
        }
        endObject()
    }

    /// What is built in has no source.
    fileprivate mutating func source(_ source: SettingSource) {
        guard case .key(let way, let file, let line) = source else { return }
        key("source")
        beginObject()
        member("file", file)
        member("line", line)
        member("key", way)
        endObject()
    }
}
