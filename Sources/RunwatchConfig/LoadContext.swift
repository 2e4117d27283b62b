import RunwatchCore

/// What the parts of one load share.
final class LoadContext {
    /// A file of the configuration may be this large.
    static let fileLimit = 64 << 20
    /// All files together; one list may be named a million times.
    static let totalLimit = 1 << 30

    let environment: [String: String]
    let options: LoadOptions
    let diagnostics = DiagnosticCollector()
    /// The folder that relative paths of the main file begin from.
    let folder: String
    /// Why a path is no program that anyone could run.
    let programFault: (String) -> String?
    private let readFile: ConfigurationLoader.ReadFile
    private var bytesRead = 0
    /// In the order of their first mention.
    private(set) var watchedPaths: [String] = []
    /// Filled only if the options say so.
    var places = ConfigurationPlaces()
    private var watched: Set<String> = []

    init(
        folder: String, environment: [String: String], options: LoadOptions,
        readFile: @escaping ConfigurationLoader.ReadFile,
        programFault: @escaping (String) -> String?
    ) {
        self.folder = folder
        self.environment = environment
        self.options = options
        self.readFile = readFile
        self.programFault = programFault
    }

    /// Remembers a path whose change can change the configuration.
    func watch(_ path: String) {
        if watched.insert(path).inserted { watchedPaths.append(path) }
    }

    /// Reads a file and watches it, whether it is there or not.
    func read(
        _ path: String, limit: Int = LoadContext.fileLimit
    ) throws(FileFault) -> FileContents {
        watch(path)
        let full = FileFault(
            .unreadable, "the files read so far hold \(LoadContext.totalLimit) bytes already")
        guard bytesRead <= LoadContext.totalLimit else { throw full }
        let contents = try readFile(path, limit)
        bytesRead += contents.bytes.count
        guard bytesRead <= LoadContext.totalLimit else { throw full }
        return contents
    }
}
