/// The version of the programs, as `--version` and the API show it.
package enum RunwatchVersion {
    package static let text = "0.1.0"
}
