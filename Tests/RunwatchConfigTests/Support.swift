import Glibc
import RunwatchConfig
import RunwatchCore
import TestSupport

/// Where the fixtures and the project's own configurations stand.
enum Folders {
    static let fixtures = folder(of: #filePath) + "/Fixtures"
    static let examples = folder(of: folder(of: folder(of: #filePath))) + "/config"

    private static func folder(of path: String) -> String {
        path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }
}

/// The environment that fixtures rely on.
let testEnvironment = [
    "KRIXIK_API_KEY": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "KINETICA_PASSWORD": "correct horse",
    "KINETICA_TOKEN": "battery-staple",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "OPS_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "OPS_SECRET_NEW": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "OPS_SECRET_OLD": "an older text without a prefix",
    "EMPTY_VARIABLE": "",
    "TWO_LINES": "one\ntwo",
    "SHORT_SECRET": "hunter2",
    "BAD_WHSEC": "whsec_hunter2",
    "SHORT_WHSEC": "whsec_aHVudGVyMg==",
    "OPS_TOKEN": "Bearer 0123456789", "NTFY_TOKEN": "tk_0123456789", "NOTIFY_TOKEN": "9876543210",
    "SMTP_PASSWORD": "a longer password",
    "SLACK_URL": "https://hooks.slack.com/services/hunter2-hunter2",
    "PRIVATE_URL": "http://10.1.2.3/hunter2-hunter2",
    "FTP_URL": "ftp://hooks.example.com/hunter2-hunter2",
    "TWO_WORDS": "hunter2 hunter2",
]

/// Files in memory, for loading without a disk.
struct MemoryFiles: Sendable {
    var files: [String: [UInt8]] = [:]

    init(_ files: [String: String]) {
        self.files = files.mapValues { Array($0.utf8) }
    }

    func load(_ main: String = "/c/runwatch.yaml") -> ConfigurationResult {
        ConfigurationLoader.load(
            file: main, environment: testEnvironment,
            readFile: { (path, limit) throws(FileFault) in
                guard let bytes = files[path] else { throw FileFault(.missing, "no such file") }
                guard bytes.count <= limit else { throw FileFault(.unreadable, "too large") }
                return FileContents(bytes: bytes)
            },
            programFault: { $0.hasPrefix("/missing/") ? "is not there" : nil })
    }
}

let krixikService = """
    services:
      krixik:
        kind: krixik
        url: https://api.example.com
        api_key: {env: KRIXIK_API_KEY}

    """

let kineticaService = """
    services:
      warehouse:
        kind: kinetica
        url: http://127.0.0.1:9191

    """

/// Loads a main file and a watch list from memory.
func load(_ main: String, watches: String? = nil) -> ConfigurationResult {
    var files = ["/c/runwatch.yaml": main]
    files["/c/watches.yaml"] = watches
    return MemoryFiles(files).load()
}

extension ConfigurationResult {
    /// The diagnostics as the tools show them, without the folder.
    func lines(without folder: String = "/c/") -> [String] {
        diagnostics.map { $0.description.removing(folder) }
    }
}

extension String {
    func removing(_ part: String) -> String {
        var kept = ""
        var rest = self[...]
        while !rest.isEmpty {
            if !part.isEmpty, rest.hasPrefix(part) {
                rest = rest.dropFirst(part.count)
            } else {
                kept.append(rest.removeFirst())
            }
        }
        return kept
    }
}

/// The names of a folder's files with one ending, sorted.
func names(in folder: String, ending: String) -> [String] {
    var names: [String] = []
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasSuffix(ending) { names.append(name) }
    }
    return names.sorted()
}

/// The text of a fixture.
func text(of path: String) throws -> String {
    String(decoding: try FileContents.read(path, limit: 1 << 20).bytes, as: UTF8.self)
}
