import RunwatchCore

private enum TLSKey: String, SchemaKey {
    case caFile = "ca_file"
    case certFile = "cert_file"
    case keyFile = "key_file"
}

/// What services and webhooks have in common.
extension Schema {
    func url(_ node: YAMLNode, _ what: String, _ purpose: URLText.Purpose) -> String? {
        guard let text = text(node, what) else { return nil }
        do throws(URLText.Fault) {
            return try URLText.check(text, purpose)
        } catch {
            self.error(node, "\(what) \(error.message)")
            return nil
        }
    }

    func size(_ node: YAMLNode, _ what: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, what) else { return nil }
        guard let size = UnitText.size(text) else {
            error(node, "\(what): \(UnitText.sizeFault(text))")
            return nil
        }
        guard range.contains(size) else {
            error(
                node,
                "\(what) cannot be \(Shown.value(text)); "
                    + "it is from \(range.lowerBound >> 10)KiB to \(range.upperBound >> 30)GiB")
            return nil
        }
        return size
    }

    /// Reads `tls:`; relative paths begin from the main file's folder, and every file must be there.
    func tls(_ node: YAMLNode, _ context: LoadContext) -> TLSSettings {
        var settings = TLSSettings()
        guard let fields = fields(node, "'tls'", TLSKey.self) else { return settings }
        for field in fields.all {
            let what = "'tls.\(field.key.rawValue)'"
            guard let text = line(field.value, what, limit: 4096) else { continue }
            let path = PathText.join(context.folder, text)
            do throws(FileFault) {
                _ = try context.read(path, limit: 16 << 20)
            } catch {
                self.error(field.value, "\(what): cannot read \(Shown.name(path)): \(error)")
            }
            switch field.key {
            case .caFile: settings.caFile = path
            case .certFile: settings.certFile = path
            case .keyFile: settings.keyFile = path
            }
        }
        if let field = fields.field(.keyFile), fields[.certFile] == nil {
            error(field.keyNode, "'key_file' needs 'cert_file' beside it")
        }
        return settings
    }
}
