import RunwatchCore

private enum WatchKey: String, SchemaKey {
    case service, id, ids
    case idsFrom = "ids_from"
    case discover, pipeline, label, group
    case poll, deadline, notify
    case pendingAfter = "pending_after"
    case stallAfter = "stall_after"
    case notFoundGrace = "not_found_grace"

    var isSource: Bool {
        switch self {
        case .id, .ids, .idsFrom, .discover: true
        default: false
        }
    }

    var isSetting: Bool {
        switch self {
        case .service, .id, .ids, .idsFrom, .discover, .pipeline, .label, .group: false
        default: true
        }
    }
}

private enum DiscoverKey: String, SchemaKey {
    case runTag = "run_tag"
}

/// Reads watch lists, entry by entry, into one table.
final class WatchListSchema {
    private struct SettingsKey: Hashable {
        let service: String
        let partial: PartialSettings
    }

    /// What an entry says about each of its watches.
    private struct Entry {
        let service: ServiceEntry
        let label: String?
        let group: String?
        let parameters: [String: String]
        let settings: WatchSettings
        let path: String
        let line: Int
    }

    let context: LoadContext
    private let services: [String: ServiceEntry]
    private let serviceNames: [String]
    private let receivers: [String]
    private(set) var table = WatchTable()
    private(set) var discoveries: [DiscoverySpec] = []
    private var discoveryIndexes: [[String]: Int] = [:]
    /// Watches asked for, repeated ones included.
    private var asked = 0
    /// The last watch that was read: the next one is likely to be like it.
    private var last: WatchSpec?
    private var isFull = false

    // Equal values share one instance.
    private var settings: [SettingsKey: WatchSettings] = [:]
    private var distinctSettings: Set<WatchSettings> = []
    private var parameters: [String: [String: String]] = [:]
    private var groups: Set<String> = []

    init(context: LoadContext, main: MainFile) {
        self.context = context
        serviceNames = main.services.map(\.name)
        services = Dictionary(uniqueKeysWithValues: main.services.map { ($0.name, $0) })
        receivers = main.receiverNames
        distinctSettings.formUnion(main.services.map(\.defaults))
    }

    /// Reads one list.
    func read(_ bytes: [UInt8], path: String) {
        let schema = Schema(file: path, diagnostics: context.diagnostics)
        do throws(YAMLError) {
            try YAMLComposer.elements(
                bytes, notASequence: "a watch list is a list: each entry begins with '- '"
            ) { element($0, schema) }
        } catch {
            schema.error(error)
        }
    }

    /// Reads an entry, and notes where its keys stand if anyone will ask.
    private func element(_ node: YAMLNode, _ schema: Schema) {
        let (watches, found) = (table.watches.count, discoveries.count)
        entry(node, schema)
        guard context.options.notesPlaces, !context.diagnostics.hasErrors else { return }
        var keys = KeyPlaces()
        keys.note(node)
        context.places.entries.append(
            .init(
                file: schema.file, line: node.line, keys: keys,
                watches: watches..<table.watches.count,
                discovery: discoveries.count > found ? found : nil))
    }

    private func entry(_ node: YAMLNode, _ schema: Schema) {
        guard !isFull, let fields = schema.fields(node, "a watch", WatchKey.self) else { return }
        let service = service(fields, schema)
        let source = source(fields, schema)
        let label = fields[.label].flatMap { schema.line($0, "'label'") }
        let group = fields[.group].flatMap { schema.line($0, "'group'") }
        guard let service else {
            checkSettings(fields, schema)
            return
        }
        let parameters = parameters(fields, service, source, schema)
        let settings = settings(fields, service, schema)
        guard let source, let parameters else { return }
        let entry = Entry(
            service: service, label: label,
            group: group.map { groups.insert($0).memberAfterInsert },
            parameters: parameters, settings: settings, path: schema.file, line: node.line)
        switch source.key {
        case .id:
            if let text = idText(source.value, service, schema) {
                add(text, at: source.value, line: node.line, entry, schema)
            }
        case .ids: ids(source.value, entry, schema)
        case .idsFrom: idsFrom(source.value, entry, schema)
        default: discover(source, entry, schema)
        }
    }

    // MARK: Parts of an entry

    private func service(_ fields: Fields<WatchKey>, _ schema: Schema) -> ServiceEntry? {
        guard let node = fields[.service] else {
            schema.error(fields.node, "a watch needs 'service', the name of one of the services")
            return nil
        }
        guard let name = schema.text(node, "'service'") else { return nil }
        if let service = services[name] { return service }
        schema.error(node, schema.unknownName(name, "service", among: serviceNames))
        return nil
    }

    /// The one key that says which runs are meant.
    private func source(
        _ fields: Fields<WatchKey>, _ schema: Schema
    ) -> Fields<WatchKey>.Field? {
        var found: Fields<WatchKey>.Field?
        for field in fields.all where field.key.isSource {
            guard let first = found else {
                found = field
                continue
            }
            schema.error(
                field.keyNode,
                "'\(field.key.rawValue)' cannot stand beside '\(first.key.rawValue)'; "
                    + "make them two entries")
        }
        if found == nil {
            schema.error(fields.node, "a watch needs one of 'id', 'ids', 'ids_from' and 'discover'")
        }
        return found
    }

    private func parameters(
        _ fields: Fields<WatchKey>, _ service: ServiceEntry, _ source: Fields<WatchKey>.Field?,
        _ schema: Schema
    ) -> [String: String]? {
        guard let kind = service.kind else { return nil }
        guard kind == .krixik else {
            guard let field = fields.field(.pipeline) else { return [:] }
            schema.error(
                field.keyNode,
                "'pipeline' is for services of kind krixik; '\(service.name)' is of kind \(kind)")
            return nil
        }
        if let node = fields[.pipeline] {
            guard let name = schema.line(node, "'pipeline'", limit: 256) else { return nil }
            if let shared = parameters[name] { return shared }
            parameters[name] = ["pipeline": name]
            return parameters[name]
        }
        guard service.parameters.isEmpty, source?.key != .discover else {
            return service.parameters
        }
        schema.error(
            fields.node,
            "a watch of a krixik service needs a pipeline: write 'pipeline: NAME' here, "
                + "or at the service '\(service.name)' for all of its watches")
        return nil
    }

    private func settings(
        _ fields: Fields<WatchKey>, _ service: ServiceEntry, _ schema: Schema
    ) -> WatchSettings {
        guard fields.all.contains(where: \.key.isSetting) else { return service.defaults }
        let partial = schema.settings(fields, over: service.defaults, receivers: receivers)
        let key = SettingsKey(service: service.name, partial: partial)
        if let known = settings[key] { return known }
        let resolved = distinctSettings.insert(partial.over(service.defaults)).memberAfterInsert
        settings[key] = resolved
        return resolved
    }

    /// Checks settings where they cannot be resolved, so that all errors come at once.
    private func checkSettings(_ fields: Fields<WatchKey>, _ schema: Schema) {
        _ = schema.settings(fields, over: WatchSettings(), receivers: receivers)
    }

    // MARK: IDs

    private func idText(
        _ node: YAMLNode, _ service: ServiceEntry, _ schema: Schema
    ) -> String? {
        guard node.kind == .scalar else {
            schema.error(
                node, "an ID is one text, not \(Shown.kind(of: node)); several go under 'ids'")
            return nil
        }
        return node.withBytes { bytes in
            if let fault = RunIDText.fault(bytes) {
                schema.error(node, idFault(fault, bytes, service))
                return nil
            }
            if service.kind == .krixik, !RunIDText.hasKrixikShape(bytes) {
                schema.warning(node, shapeWarning(bytes))
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func idFault(
        _ fault: String, _ bytes: UnsafeBufferPointer<UInt8>, _ service: ServiceEntry
    ) -> String {
        guard !bytes.isEmpty else {
            return service.kind == .kinetica
                ? "the ID is empty, which would mean every run of the server; name one"
                : "the ID is empty"
        }
        return "the ID \(Shown.value(String(decoding: bytes, as: UTF8.self))) \(fault)"
    }

    private func shapeWarning(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        "the ID \(Shown.value(String(decoding: bytes, as: UTF8.self))) has not the shape of Krixik's "
            + "(lower-case hexadecimal, 8-4-4-4-12); it is asked for as it is"
    }

    private func ids(_ node: YAMLNode, _ entry: Entry, _ schema: Schema) {
        guard let elements = schema.list(node, "'ids'", example: "[12, 13]") else { return }
        var isEmpty = true
        for element in elements {
            isEmpty = false
            guard !isFull, let text = idText(element, entry.service, schema) else { continue }
            add(text, at: element, line: element.line, entry, schema)
        }
        if isEmpty { schema.warning(node, "'ids' is empty; nothing is watched here") }
    }

    private func add(
        _ id: String, at node: YAMLNode, line: Int, _ entry: Entry, _ schema: Schema
    ) {
        add(id, .file(schema.file, line: line), entry) { message in schema.error(node, message()) }
    }

    private func add(
        _ id: String, _ origin: WatchOrigin, _ entry: Entry, _ report: (() -> String) -> Void
    ) {
        asked += 1
        guard asked <= WatchTable.limit else {
            if !isFull { report { "more than \(WatchTable.limit) watches; the rest is not read" } }
            isFull = true
            return
        }
        let watch = WatchSpec(
            name: WatchName(service: entry.service.name, run: id), label: entry.label,
            group: entry.group, parameters: entry.parameters, settings: entry.settings,
            origin: origin, sharing: last)
        last = watch
        guard case .conflict(let first) = table.add(watch) else { return }
        report {
            "\(Shown.name(watch.name.description)) is watched with other settings already, "
                + "at \(first.origin): \(WatchListSchema.difference(first, watch))"
        }
    }

    /// The keys in which two watches of one name differ.
    private static func difference(_ first: WatchSpec, _ second: WatchSpec) -> String {
        let one = first.settings
        let other = second.settings
        let keys = [
            ("label", first.label != second.label), ("group", first.group != second.group),
            ("pipeline", first.parameters != second.parameters), ("poll", one.poll != other.poll),
            ("deadline", one.deadline != other.deadline),
            ("pending_after", one.pendingAfter != other.pendingAfter),
            ("stall_after", one.stallAfter != other.stallAfter),
            ("not_found_grace", one.notFoundGrace != other.notFoundGrace),
            ("notify", one.notify != other.notify),
        ].filter(\.1).map { "'\($0.0)'" }
        return keys.joined(separator: ", ") + (keys.count == 1 ? " differs" : " differ")
    }

    // MARK: Sets of watches

    private func idsFrom(_ node: YAMLNode, _ entry: Entry, _ schema: Schema) {
        guard let text = schema.line(node, "'ids_from'", limit: 4096) else { return }
        let path = PathText.join(PathText.folder(of: schema.file), text)
        context.diagnostics.begin(path)
        let contents: FileContents
        do throws(FileFault) {
            contents = try context.read(path)
        } catch {
            schema.error(node, "'ids_from': cannot read \(Shown.name(path)): \(error)")
            return
        }
        contents.bytes.withUnsafeBufferPointer { whole in
            let hasMark = whole.starts(with: [0xEF, 0xBB, 0xBF])
            let text = UnsafeBufferPointer(rebasing: whole[(hasMark ? 3 : 0)...])
            if let offset = UTF8Check.firstFault(in: text) {
                let place = TextPlace(of: offset, in: text)
                context.diagnostics.error(path, line: place.line, column: place.column) {
                    "the text is not UTF-8; save the file as UTF-8"
                }
                return
            }
            lines(text, path, entry)
        }
    }

    private func lines(_ text: UnsafeBufferPointer<UInt8>, _ path: String, _ entry: Entry) {
        IDList.lines(text) { line in
            if let fault = RunIDText.fault(line.id) {
                context.diagnostics.error(path, line: line.line, column: line.column) {
                    idFault(fault, line.id, entry.service)
                }
                return true
            }
            if entry.service.kind == .krixik, !RunIDText.hasKrixikShape(line.id) {
                context.diagnostics.warning(path, line: line.line, column: line.column) {
                    shapeWarning(line.id)
                }
            }
            let id = String(decoding: line.id, as: UTF8.self)
            add(id, .file(path, line: line.line), entry) { message in
                context.diagnostics.error(path, line: line.line, column: line.column, message)
            }
            return !isFull
        }
    }

    private func discover(
        _ source: Fields<WatchKey>.Field, _ entry: Entry, _ schema: Schema
    ) {
        guard entry.service.kind == .kinetica else {
            schema.error(
                source.keyNode,
                "'discover' is for services of kind kinetica; '\(entry.service.name)' is of kind "
                    + "krixik, which cannot list runs")
            return
        }
        guard
            let fields = schema.fields(
                source.value, "'discover'", DiscoverKey.self, at: source.keyNode)
        else { return }
        guard let node = fields[.runTag] else {
            schema.error(fields.node, "'discover' needs a filter: {run_tag: TAG}")
            return
        }
        guard let tag = schema.line(node, "'run_tag'") else { return }
        let discovery = DiscoverySpec(
            service: entry.service.name, runTag: tag, label: entry.label, group: entry.group,
            settings: entry.settings, path: entry.path, line: entry.line)
        guard let index = discoveryIndexes[[discovery.service, tag]] else {
            discoveryIndexes[[discovery.service, tag]] = discoveries.count
            discoveries.append(discovery)
            return
        }
        let first = discoveries[index]
        guard
            first.label != discovery.label || first.group != discovery.group
                || first.settings != discovery.settings
        else { return }
        schema.error(
            node,
            "runs with the tag \(Shown.value(tag)) are discovered with other settings already, "
                + "at \(first.path):\(first.line)")
    }
}
