import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

/// Every file in `Fixtures/main` and `Fixtures/watches` is wrong in the way that its name says; the file
/// of the same name ending in `.expected` holds what must be said about it.
@Suite struct BadConfigurationTests {
    private static let mainFolder = Folders.fixtures + "/main/"
    private static let watchesFolder = Folders.fixtures + "/watches/"
    private static let mainNames = names(in: mainFolder, ending: ".yaml")
    private static let watchesNames = names(in: watchesFolder, ending: ".yaml")

    private static func expected(_ folder: String, _ name: String) throws -> [String] {
        try text(of: folder + name.dropLast("yaml".count) + "expected")
            .split(separator: "\n").map(String.init)
    }

    @Test func `there are fixtures of each sort`() {
        #expect(BadConfigurationTests.mainNames.count >= 60)
        #expect(BadConfigurationTests.watchesNames.count >= 20)
    }

    @Test(arguments: mainNames)
    func `a main file with a mistake is refused with its places`(_ name: String) throws {
        let folder = BadConfigurationTests.mainFolder
        let result = ConfigurationLoader.load(file: folder + name, environment: testEnvironment)
        #expect(result.configuration == nil)
        #expect(result.lines(without: folder) == (try BadConfigurationTests.expected(folder, name)))
        #expect(result.watchedPaths.first == folder + name)
    }

    @Test(arguments: watchesNames)
    func `a watch list with a mistake is refused with its places`(_ name: String) throws {
        let folder = BadConfigurationTests.watchesFolder
        let temporary = TemporaryFolder()
        let main = temporary.write(
            "runwatch.yaml",
            """
            services:
              krixik: {kind: krixik, url: https://api.example.com, api_key: {env: KRIXIK_API_KEY}}
              warehouse: {kind: kinetica, url: http://127.0.0.1:9191}
            receivers:
              ops: {stdout: {}}
            watch_lists: [\(folder + name)]
            """)
        let result = ConfigurationLoader.load(file: main, environment: testEnvironment)
        #expect(result.configuration == nil)
        #expect(result.lines(without: folder) == (try BadConfigurationTests.expected(folder, name)))
        #expect(result.watchedPaths.contains(folder + name))
    }

    @Test(arguments: mainNames)
    func `no message holds a secret`(_ name: String) {
        let folder = BadConfigurationTests.mainFolder
        let result = ConfigurationLoader.load(file: folder + name, environment: testEnvironment)
        let secrets = testEnvironment.values.filter { $0.count >= 6 } + ["hunter2"]
        for line in result.lines(without: folder) {
            for secret in secrets { #expect(!line.contains(secret)) }
        }
    }
}
