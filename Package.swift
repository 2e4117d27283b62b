// swift-tools-version: 6.2
import PackageDescription

/// Every target is built alike: Swift 6 with the coming defaults, and no warning left standing.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "runwatch",
    products: [
        .executable(name: "runwatchd", targets: ["runwatchd"]),
        .executable(name: "runwatchctl", targets: ["runwatchctl"]),
        .executable(name: "runwatch-sim", targets: ["runwatch-sim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        // The system's libraries.
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CMicrohttpd", pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(
            name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // A C++ library that is one header (libkainjow-mustache-dev), behind a function in C.
        .target(name: "CMustache", cxxSettings: [.treatAllWarnings(as: .error)]),

        // What the C library declares behind _GNU_SOURCE only.
        .target(name: "CSpawn", cSettings: [.define("_GNU_SOURCE")]),

        // Ground and means.
        .target(name: "RunwatchCore"),
        .target(name: "RunwatchLinux", dependencies: ["RunwatchCore", "CSpawn"]),
        .target(
            name: "RunwatchHTTP",
            dependencies: ["RunwatchCore", "RunwatchLinux", "CCurl", "CMicrohttpd"]),

        // Edges.
        .target(
            name: "RunwatchStore", dependencies: ["RunwatchCore", "RunwatchLinux", "CSQLite"],
            resources: [.embedInCode("Schema")]),
        .target(name: "RunwatchServices", dependencies: ["RunwatchCore", "RunwatchHTTP"]),
        .target(
            name: "RunwatchTemplate", dependencies: ["RunwatchCore", "RunwatchHTTP", "CMustache"]),

        // Features.
        .target(
            name: "RunwatchConfig", dependencies: ["RunwatchCore", "RunwatchTemplate", "CYAML"]),
        .target(
            name: "RunwatchPolling",
            dependencies: [
                "RunwatchCore", "RunwatchLinux", "RunwatchHTTP", "RunwatchServices",
                "RunwatchStore", logging,
            ]),
        .target(
            name: "RunwatchDelivery",
            dependencies: [
                "RunwatchCore", "RunwatchLinux", "RunwatchHTTP", "RunwatchTemplate",
                "RunwatchStore", "CCrypto", logging,
            ]),
        .target(
            name: "RunwatchControl",
            dependencies: ["RunwatchCore", "RunwatchLinux", "RunwatchHTTP"],
            resources: [.embedInCode("API")]),

        // Wiring.
        .target(
            name: "RunwatchDaemon",
            dependencies: [
                "RunwatchCore", "RunwatchLinux", "RunwatchHTTP", "RunwatchStore",
                "RunwatchServices", "RunwatchConfig", "RunwatchPolling", "RunwatchDelivery",
                "RunwatchControl", logging,
            ]),
        .target(
            name: "RunwatchSim", dependencies: ["RunwatchCore", "RunwatchLinux", "RunwatchHTTP"]),

        // Programs.
        .executableTarget(
            name: "runwatchd",
            dependencies: ["RunwatchControl", "RunwatchDaemon", "RunwatchLinux", logging]),
        .executableTarget(
            name: "runwatchctl",
            dependencies: [
                "RunwatchCore", "RunwatchLinux", "RunwatchControl", "RunwatchConfig",
                "RunwatchServices", argumentParser,
            ]),
        .executableTarget(
            name: "runwatch-sim", dependencies: ["RunwatchCore", "RunwatchSim", argumentParser]),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["RunwatchCore", "RunwatchLinux"],
            path: "Tests/TestSupport"),
        .testTarget(name: "RunwatchCoreTests", dependencies: ["RunwatchCore", "TestSupport"]),
        .testTarget(name: "RunwatchLinuxTests", dependencies: ["RunwatchLinux", "TestSupport"]),
        .testTarget(
            name: "RunwatchHTTPTests",
            dependencies: ["RunwatchCore", "RunwatchHTTP", "RunwatchLinux", "TestSupport"]),
        .testTarget(
            name: "RunwatchStoreTests",
            dependencies: ["RunwatchCore", "RunwatchStore", "RunwatchLinux", "TestSupport"]),
        .testTarget(
            name: "RunwatchServicesTests",
            dependencies: ["RunwatchCore", "RunwatchHTTP", "RunwatchServices", "TestSupport"]),
        .testTarget(
            name: "RunwatchTemplateTests", dependencies: ["RunwatchCore", "RunwatchTemplate"]),
        .testTarget(
            name: "RunwatchConfigTests",
            dependencies: ["RunwatchCore", "RunwatchConfig", "RunwatchTemplate", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "RunwatchPollingTests",
            dependencies: [
                "RunwatchCore", "RunwatchHTTP", "RunwatchLinux", "RunwatchPolling",
                "RunwatchServices", "RunwatchStore", "TestSupport", logging,
            ]),
        .testTarget(
            name: "RunwatchDeliveryTests",
            dependencies: [
                "RunwatchCore", "RunwatchHTTP", "RunwatchLinux", "RunwatchTemplate",
                "RunwatchDelivery", "RunwatchStore", "TestSupport", logging,
            ]),
        .testTarget(
            name: "RunwatchControlTests",
            dependencies: [
                "RunwatchCore", "RunwatchHTTP", "RunwatchLinux", "RunwatchControl", "TestSupport",
            ]),
        .testTarget(
            name: "RunwatchSimTests",
            dependencies: [
                "RunwatchCore", "RunwatchHTTP", "RunwatchLinux", "RunwatchSim", "TestSupport",
            ]),
        .testTarget(
            name: "RunwatchDaemonTests",
            dependencies: [
                "RunwatchCore", "RunwatchLinux", "RunwatchStore", "RunwatchConfig",
                "RunwatchPolling", "RunwatchDelivery", "RunwatchControl", "RunwatchDaemon",
            ]),
        .testTarget(
            name: "ProgramTests",
            dependencies: [
                "RunwatchCore", "RunwatchLinux", "RunwatchHTTP", "RunwatchSim", "RunwatchControl",
                "TestSupport", "runwatchd", "runwatchctl", "runwatch-sim",
            ]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

for target in package.targets where target.type != .system {
    target.swiftSettings = settings
}
