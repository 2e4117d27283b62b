import Glibc

/// The process's environment.
package enum Environment {
    /// The variable's value; `nil` when it is not set.
    package static func value(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}
