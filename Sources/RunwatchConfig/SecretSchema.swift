import RunwatchCore

private enum SecretKey: String, SchemaKey {
    case credential, file, env
}

/// Reads secrets; no message ever holds one.
struct SecretSchema {
    /// No key or password is larger.
    private static let limit = 64 << 10

    let schema: Schema
    let context: LoadContext

    /// Reads `{credential: NAME}`, `{file: PATH}`, `{env: NAME}` or a plain text.
    func secret(_ node: YAMLNode, _ what: String) -> Secret? {
        switch node.kind {
        case .scalar: return plain(node, what)
        case .sequence:
            schema.error(node, "\(what) is one secret, not a list; write {file: PATH}")
            return nil
        case .mapping: break
        }
        guard let field = source(node, what), let name = schema.line(field.value, what, limit: 4096)
        else { return nil }
        switch field.key {
        case .env: return environment(name, field.value, what)
        case .credential: return credential(name, field.value, what)
        case .file:
            let path = PathText.join(context.folder, name)
            return file(path, field.value, what, warnsOfReaders: true)
        }
    }

    /// Reads what may be a secret and need not be: nobody is warned of a plain text.
    func textOrSecret(_ node: YAMLNode, _ what: String) -> Secret? {
        guard node.kind != .mapping else { return secret(node, what) }
        return schema.text(node, what).flatMap { checked($0, node, what) }
    }

    /// The one key of the mapping.
    ///
    /// Keys are never shown here: a secret may stand in a key's place.
    private func source(_ node: YAMLNode, _ what: String) -> Fields<SecretKey>.Field? {
        var found: Fields<SecretKey>.Field?
        var count = 0
        var children = node.children
        while let keyNode = children.next(), let value = children.next() {
            count += 1
            guard let key = SecretKey(rawValue: keyNode.text) else {
                let names = SecretKey.allCases.map(\.rawValue)
                let near = NearestName.find(keyNode.text, among: names)
                schema.error(
                    keyNode,
                    "unknown key in \(what); "
                        + (near.map { "did you mean '\($0)'?" }
                            ?? "a secret is {credential: NAME}, {file: PATH} or {env: NAME}"))
                return nil
            }
            found = .init(key: key, keyNode: keyNode, value: value)
        }
        guard count == 1, let found else {
            schema.error(
                node, "\(what) needs exactly one of {credential: NAME}, {file: PATH}, {env: NAME}")
            return nil
        }
        return found
    }

    private func plain(_ node: YAMLNode, _ what: String) -> Secret? {
        guard let text = schema.text(node, what), let secret = checked(text, node, what) else {
            return nil
        }
        warnOfPlain(node, what)
        return secret
    }

    func warnOfPlain(_ node: YAMLNode, _ what: String) {
        schema.warning(
            node,
            "\(what) stands in the file as plain text, which is discouraged; "
                + "use {credential: NAME}, {file: PATH} or {env: NAME}")
    }

    private func environment(_ name: String, _ node: YAMLNode, _ what: String) -> Secret? {
        guard name.utf8.allSatisfy({ ASCII.isNameByte($0) && $0 != UInt8(ascii: "-") }) else {
            schema.error(node, "\(what): 'env' needs the name of a variable, not its value")
            return nil
        }
        guard let value = context.environment[name] else {
            schema.error(node, "\(what): the environment variable '\(name)' is not set")
            return nil
        }
        return checked(value, node, what)
    }

    private func credential(_ name: String, _ node: YAMLNode, _ what: String) -> Secret? {
        guard name != ".", name != "..", !name.contains("/") else {
            schema.error(
                node, "\(what): 'credential' needs a name, not a path; for that use 'file'")
            return nil
        }
        let variable = "CREDENTIALS_DIRECTORY"
        guard let folder = context.environment[variable], !folder.isEmpty else {
            if context.options.assumesCredentials {
                schema.warning(
                    node,
                    "\(what): the credential \(Shown.name(name)) was not looked at: systemd passes "
                        + "it to the service alone (LoadCredential= in its unit)")
                return .unread(name)
            }
            schema.error(
                node,
                "\(what): $\(variable) is not set; have systemd pass the credential by "
                    + "'LoadCredential=\(name):/PATH/TO/FILE' in the unit, or use {file: PATH}")
            return nil
        }
        // What systemd puts there is for the service alone.
        return file(PathText.join(folder, name), node, what, warnsOfReaders: false)
    }

    private func file(
        _ path: String, _ node: YAMLNode, _ what: String, warnsOfReaders: Bool
    ) -> Secret? {
        let contents: FileContents
        do throws(FileFault) {
            contents = try context.read(path, limit: SecretSchema.limit)
        } catch {
            schema.error(node, "\(what): cannot read \(Shown.name(path)): \(error)")
            return nil
        }
        guard let text = contents.text else {
            schema.error(node, "\(what): \(Shown.name(path)) is not UTF-8")
            return nil
        }
        guard let secret = checked(text, node, what) else {
            return nil
        }
        if warnsOfReaders, contents.isWorldReadable {
            schema.warning(
                node, "\(what): everyone may read \(Shown.name(path)); 'chmod o-r' it")
        }
        return secret
    }

    /// A secret goes into a header, so it is one line.
    private func checked(_ text: String, _ node: YAMLNode, _ what: String) -> Secret? {
        guard !text.isEmpty else {
            schema.error(node, "\(what) is empty")
            return nil
        }
        guard !text.unicodeScalars.contains(where: ASCII.isControl) else {
            schema.error(node, "\(what) holds a control character or a second line")
            return nil
        }
        return Secret(text)
    }
}
