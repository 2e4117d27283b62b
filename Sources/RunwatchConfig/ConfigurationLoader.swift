package import RunwatchCore

/// What came of loading a configuration.
package struct ConfigurationResult: Sendable {
    /// `nil` when there is any error.
    package var configuration: Configuration?
    /// Errors and warnings of all files, in the order in which the files were read and of places in them.
    package var diagnostics: [Diagnostic]
    /// Every file that was read or looked for, and the folder of every pattern; each once.
    ///
    /// A change of any of them may change the configuration, or mend a faulty one.
    package var watchedPaths: [String]
    /// How many errors and warnings there are, those included that `diagnostics` only counts.
    package var errorCount: Int
    package var warningCount: Int
    /// Where the configuration's values stand; `nil` unless it was asked for.
    package var places: ConfigurationPlaces?

    package var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    package var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }
}

/// How a configuration is read by those who only look at it.
package struct LoadOptions: Hashable, Sendable {
    /// Notes where each value stands, which costs memory for every entry of the watch lists.
    package var notesPlaces: Bool
    /// Takes a credential for given, with a warning, where `$CREDENTIALS_DIRECTORY` is not set.
    ///
    /// systemd passes credentials to the service's own process and to no other. A credential that is
    /// missing where the variable is set is an error in any case.
    package var assumesCredentials: Bool

    package init(notesPlaces: Bool = false, assumesCredentials: Bool = false) {
        self.notesPlaces = notesPlaces
        self.assumesCredentials = assumesCredentials
    }
}

/// Reads the main file, its watch lists and its secrets; needs no daemon and no network.
package struct ConfigurationLoader {
    /// Reads a file of at most so many bytes.
    package typealias ReadFile = (String, Int) throws(FileFault) -> FileContents

    /// Files that one pattern may match.
    private static let maximumMatches = 10_000

    private let file: String
    private let context: LoadContext

    /// Loads a configuration; blocks while files are read.
    ///
    /// - Parameters:
    ///   - file: The main file's path; what it names is relative to its folder.
    ///   - environment: For secrets by `env` and `credential`.
    ///   - programFault: Why the file at a path is no program; `nil` when it is one.
    package static func load(
        file: String, environment: [String: String], options: LoadOptions = LoadOptions(),
        readFile: @escaping ReadFile = { (path, limit) throws(FileFault) in
            try FileContents.read(path, limit: limit)
        },
        programFault: @escaping (String) -> String? = FileContents.programFault
    ) -> ConfigurationResult {
        let context = LoadContext(
            folder: PathText.folder(of: file), environment: environment, options: options,
            readFile: readFile, programFault: programFault)
        let configuration = ConfigurationLoader(file: file, context: context).load()
        let diagnostics = context.diagnostics
        return ConfigurationResult(
            configuration: diagnostics.hasErrors ? nil : configuration,
            diagnostics: diagnostics.sorted, watchedPaths: context.watchedPaths,
            errorCount: diagnostics.errorCount, warningCount: diagnostics.warningCount,
            places: options.notesPlaces && !diagnostics.hasErrors ? context.places : nil)
    }

    private func load() -> Configuration? {
        context.diagnostics.begin(file)
        guard let bytes = contents(), let main = mainFile(bytes) else { return nil }
        let watches = WatchListSchema(context: context, main: main)
        var seen: Set<String> = []
        for list in main.lists { read(list, into: watches, &seen) }
        return Configuration(
            file: file, services: main.services.compactMap(\.settings), receivers: main.receivers,
            watches: watches.table.watches, discoveries: watches.discoveries,
            defaults: main.defaults,
            serviceDefaults: Dictionary(
                uniqueKeysWithValues: main.services.map { ($0.name, $0.defaults) }),
            serviceParameters: Dictionary(
                uniqueKeysWithValues: main.services.map { ($0.name, $0.parameters) }),
            retention: main.retention, control: main.control, http: main.http, log: main.log)
    }

    // MARK: The main file

    private func contents() -> [UInt8]? {
        do throws(FileFault) {
            return try context.read(file).bytes
        } catch {
            context.diagnostics.error(file, line: 0, column: 0) { "cannot be read: \(error)" }
            return nil
        }
    }

    private func mainFile(_ bytes: [UInt8]) -> MainFile? {
        let schema = Schema(
            file: file, diagnostics: context.diagnostics, source: SourceText(bytes))
        do throws(YAMLError) {
            return try YAMLComposer.document(bytes) { root in
                guard let root, !root.isBlank else {
                    // A file that is being written begins like this: taking it for a configuration
                    // would end every watch.
                    context.diagnostics.error(file, line: 0, column: 0) {
                        "the file holds no configuration; to configure nothing, write {}"
                    }
                    return nil
                }
                let main = MainSchema(schema: schema, context: context).mainFile(root)
                if context.options.notesPlaces, !context.diagnostics.hasErrors {
                    context.places.main.note(root)
                }
                return main
            }
        } catch {
            schema.error(error)
            return nil
        }
    }

    // MARK: Watch lists

    private func read(
        _ list: MainFile.ListName, into watches: WatchListSchema, _ seen: inout Set<String>
    ) {
        let path = PathText.join(context.folder, list.text)
        guard Glob.isPattern(PathText.name(of: path)) else {
            read(path, list, isMatch: false, into: watches, &seen)
            return
        }
        for match in matches(path, list) { read(match, list, isMatch: true, into: watches, &seen) }
    }

    private func read(
        _ path: String, _ list: MainFile.ListName, isMatch: Bool, into watches: WatchListSchema,
        _ seen: inout Set<String>
    ) {
        guard seen.insert(path).inserted else { return }
        let contents: FileContents
        do throws(FileFault) {
            contents = try context.read(path)
        } catch {
            if error.code == .isFolder, isMatch { return }
            if error.code == .missing, list.node == nil, !isMatch { return }
            report("cannot read \(Shown.name(path)): \(error)", list, path)
            return
        }
        context.diagnostics.begin(path)
        watches.read(contents.bytes, path: path)
    }

    private func matches(_ path: String, _ list: MainFile.ListName) -> [String] {
        let folder = PathText.folder(of: path)
        context.watch(folder.isEmpty ? "." : folder)
        let glob = Glob(PathText.name(of: path))
        do throws(FileFault) {
            let names = try FolderListing.names(
                in: folder.isEmpty ? "." : folder, limit: ConfigurationLoader.maximumMatches,
                where: glob.matches)
            return names.map { PathText.join(folder, $0) }
        } catch {
            report("cannot list \(Shown.name(folder)): \(error)", list, path)
            return []
        }
    }

    /// Reports where the list is named, or at the list itself when it is a default.
    private func report(_ message: String, _ list: MainFile.ListName, _ path: String) {
        let place = list.node
        context.diagnostics.error(
            place == nil ? path : file, line: place?.line ?? 0, column: place?.column ?? 0
        ) { message }
    }
}
