/// What went wrong with the database, and what the caller can do.
package struct StoreError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// Another daemon holds the state directory.
        case locked
        /// The database was written by a newer program.
        case tooNew
        /// The file is not a database, or is damaged. It has been left as it is.
        case damaged
        /// No space, no descriptors, no permission: nothing was written, and it may work later.
        case unavailable
        /// A COMMIT failed, so nobody knows whether it happened: end the process and read back.
        case commitUnknown
        /// No such row.
        case notFound
        /// Our own statements are at fault.
        case bug
    }

    package var code: Code
    /// Names the file or the row, SQLite's words, and the remedy.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
