import RunwatchCore

private enum MainKey: String, SchemaKey {
    case services, receivers, defaults, retention, control, http, log
    case watchLists = "watch_lists"
}

private enum RetentionKey: String, SchemaKey {
    case finished
}

private enum ControlKey: String, SchemaKey {
    case group
    case adminGroup = "admin_group"
}

private enum HTTPKey: String, SchemaKey {
    case listen
}

private enum LogKey: String, SchemaKey {
    case level, format
}

/// What the main file says.
struct MainFile {
    /// A watch list, or a pattern for several.
    struct ListName {
        let text: String
        /// `nil` for the default ones, which may be missing.
        let node: YAMLNode?
    }

    static let defaultLists = ["watches.yaml", "watches.d/*.yaml"]

    var services: [ServiceEntry] = []
    var receivers: [ReceiverSettings] = []
    /// Every receiver that is declared, the faulty ones too.
    var receiverNames: [String] = []
    var defaults = WatchSettings()
    var lists: [ListName] = defaultLists.map { ListName(text: $0, node: nil) }
    var retention: Duration? = .seconds(30 * 86_400)
    var control = ControlSettings()
    var http = HTTPSettings()
    var log = LogSettings()
}

/// Reads the main file.
struct MainSchema {
    let schema: Schema
    let context: LoadContext

    func mainFile(_ root: YAMLNode) -> MainFile? {
        guard let fields = schema.fields(root, "the configuration", MainKey.self) else {
            return nil
        }
        var main = MainFile()
        receivers(fields, &main)
        // Nothing given means everyone.
        let standard = WatchSettings(notify: main.receiverNames)
        main.defaults = standard
        if let node = fields[.defaults],
            let fields = schema.fields(node, "'defaults'", SettingsKey.self)
        {
            main.defaults =
                schema.settings(fields, over: standard, receivers: main.receiverNames).over(
                    standard)
        }
        if let node = fields[.services] {
            let reader = ServiceSchema(
                schema: schema, context: context, defaults: main.defaults,
                receivers: main.receiverNames)
            schema.names(node, "'services'") { name, keyNode, node in
                main.services.append(reader.entry(name, keyNode, node))
            }
        }
        if let node = fields[.watchLists] { main.lists = lists(node) }
        if let node = fields[.retention] { retention(node, &main) }
        if let node = fields[.control] { control(node, &main) }
        if let node = fields[.http] { http(node, &main) }
        if let node = fields[.log] { log(node, &main) }
        return main
    }

    private func receivers(_ fields: Fields<MainKey>, _ main: inout MainFile) {
        if let node = fields[.receivers] {
            let reader = ReceiverSchema(schema: schema, context: context)
            schema.names(node, "'receivers'") { name, keyNode, node in
                main.receiverNames.append(name)
                if let receiver = reader.receiver(name, keyNode, node) {
                    main.receivers.append(receiver)
                }
            }
        }
        if main.receiverNames.isEmpty {
            main.receiverNames = ["log"]
            main.receivers = [ReceiverSettings(name: "log", kind: .stdout(.json))]
        }
    }

    private func lists(_ node: YAMLNode) -> [MainFile.ListName] {
        let example = "[watches.yaml, \"watches.d/*.yaml\"]"
        guard let elements = schema.list(node, "'watch_lists'", example: example) else { return [] }
        return elements.compactMap { element in
            guard let text = schema.line(element, "a path in 'watch_lists'", limit: 4096) else {
                return nil
            }
            guard !Glob.isPattern(PathText.folder(of: text)) else {
                schema.error(
                    element, "\(Shown.value(text)): only the last part of a path can be a pattern")
                return nil
            }
            return MainFile.ListName(text: text, node: element)
        }
    }

    private func retention(_ node: YAMLNode, _ main: inout MainFile) {
        guard let fields = schema.fields(node, "'retention'", RetentionKey.self),
            let node = fields[.finished],
            let limit = schema.limit(node, "'retention.finished'", atLeast: .seconds(1))
        else { return }
        main.retention = limit.duration
    }

    private func control(_ node: YAMLNode, _ main: inout MainFile) {
        guard let fields = schema.fields(node, "'control'", ControlKey.self) else { return }
        main.control.group = fields[.group].flatMap { group($0, "'control.group'") }
        main.control.adminGroup = fields[.adminGroup].flatMap { group($0, "'control.admin_group'") }
    }

    /// Names of groups as group(5) can hold them.
    private func group(_ node: YAMLNode, _ what: String) -> String? {
        guard let name = schema.line(node, what, limit: 256) else { return nil }
        guard !name.contains(where: { $0 == ":" || $0 == "," || $0 == " " || $0 == "/" }) else {
            schema.error(
                node, "\(what) cannot be \(Shown.value(name)); it is the name of one group")
            return nil
        }
        return name
    }

    private func http(_ node: YAMLNode, _ main: inout MainFile) {
        let form = "it is an address and a port: 127.0.0.1:9788 or \"[::1]:9788\""
        guard let fields = schema.fields(node, "'http'", HTTPKey.self),
            let node = fields[.listen],
            let address = schema.parsed(node, "'http.listen'", form, { ListenAddress($0) })
        else { return }
        main.http = HTTPSettings(listen: address, line: node.line, column: node.column)
        guard !address.isLoopback else { return }
        schema.warning(
            node,
            "'http.listen' is open to other machines: whoever can connect to \(address) may read "
                + "the metrics and the names in them; 127.0.0.1 is for this machine alone")
    }

    private func log(_ node: YAMLNode, _ main: inout MainFile) {
        guard let fields = schema.fields(node, "'log'", LogKey.self) else { return }
        if let node = fields[.level],
            let level = schema.choice(node, "'log.level'", LogSettings.Level.self)
        {
            main.log.level = level
        }
        if let node = fields[.format],
            let format = schema.choice(node, "'log.format'", LogSettings.Format.self)
        {
            main.log.format = format
        }
    }
}
