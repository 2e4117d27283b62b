import Glibc

/// The environment that the program was started with.
package enum DaemonEnvironment {
    /// A copy; of a variable that stands twice, the first one.
    package static var current: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                let name = String(pair[..<equals])
                if variables[name] == nil {
                    variables[name] = String(pair[pair.index(after: equals)...])
                }
            }
            entry += 1
        }
        return variables
    }
}
