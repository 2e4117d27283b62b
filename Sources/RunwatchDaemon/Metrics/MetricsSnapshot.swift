package import RunwatchControl
package import RunwatchCore
package import RunwatchDelivery
package import RunwatchLinux
package import RunwatchPolling
package import RunwatchStore

/// All that the figures are made of, as it stood at one moment.
package struct MetricsSnapshot: Sendable {
    /// How many watches are in a state.
    package typealias StateCount = (service: String, state: RunState, count: Int)
    /// What a receiver is owed.
    package typealias ReceiverBacklog = (
        receiver: String, pending: Int, failed: Int, oldestPending: Timestamp?
    )

    /// What the database is, besides what it has done.
    package struct Database: Sendable, Equatable {
        /// Changes that are not on disk yet.
        package var pendingChanges = 0
        package var isWritable = true
        /// In bytes; `nil` when the file cannot be looked at.
        package var size: Int?
        /// Of the write-ahead log, in bytes.
        package var logSize: Int?

        package init() {}
    }

    package var now: Timestamp
    package var startedAt: Timestamp
    package var services: [ServiceStatus] = []
    package var receivers: [ReceiverStatus] = []
    /// `nil` when the database cannot be read.
    package var states: [StateCount]?
    /// `nil` when the database cannot be read.
    package var backlog: [ReceiverBacklog]?
    package var store = StoreFigures()
    package var database = Database()
    /// Whether the configuration as it stands in the files is the one in force.
    package var isConfigurationOK = true
    /// When the one in force was loaded; `nil` before the first one is.
    package var configurationLoadedAt: Timestamp?
    /// Events that were recorded, by the name of their type.
    package var events: [String: Int] = [:]
    package var requests: [(key: ControlMeter.Count, requests: Int)] = []
    /// Followers of live events.
    package var streams = 0
    package var process: ProcessFigures?

    package init(now: Timestamp, startedAt: Timestamp) {
        self.now = now
        self.startedAt = startedAt
    }
}
