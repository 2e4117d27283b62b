import RunwatchCore

/// The columns of `watch` that make a `SavedWatch`, in one place.
enum WatchColumns {
    /// For a SELECT; `read` finds them from the first column on.
    static let list = """
        id, service, run, state, previous_state, sequence, polls, watched_since_ms, \
        first_poll_at_ms, first_answer_at_ms, last_poll_at_ms, last_seen_at_ms, next_poll_at_ms, \
        step, observed_at_ms, not_before_ms, changed_at_ms, progress_done, progress_total, message, \
        detail, is_stalled
        """
    /// How many they are: the next column's place.
    static let count: Int32 = 22

    static func name(_ row: borrowing Statement) -> WatchName {
        WatchName(service: row.text(1), run: row.text(2))
    }

    /// Reads the row that the statement stands on.
    /// - Parameter name: Where it is known already, so that a hundred thousand rows share its text.
    static func read(_ row: borrowing Statement, name: WatchName? = nil) -> SavedWatch {
        SavedWatch(
            id: WatchID(rowID: row.int64(0)),
            name: name ?? WatchColumns.name(row),
            state: RunState(name: row.text(3)) ?? .unknown,
            previousState: row.optionalText(4).flatMap { RunState(name: $0) },
            sequence: row.int(5),
            polls: row.int(6),
            watchedSince: row.timestamp(7),
            phase: SavedPhase(
                firstPollAt: row.optionalTimestamp(8), firstAnswerAt: row.optionalTimestamp(9),
                lastPollAt: row.optionalTimestamp(10), lastSeenAt: row.optionalTimestamp(11),
                nextPollAt: row.optionalTimestamp(12), step: row.int(13)),
            observedAt: row.optionalTimestamp(14),
            notBefore: row.optionalTimestamp(15),
            changedAt: row.optionalTimestamp(16),
            progress: row.isNull(17)
                ? nil
                : Progress(
                    done: Int32(clamping: row.int64(17)), total: Int32(clamping: row.int64(18))),
            message: row.text(19),
            detail: detail(row, 20),
            isStalled: row.bool(21))
    }

    /// A detail as it is kept: `{}` for none, so that SQLite's JSON functions always work.
    static func detail(_ row: borrowing Statement, _ column: Int32) -> [UInt8] {
        row.isEqual(column, "{}") ? [] : row.bytes(column)
    }
}

extension Statement {
    mutating func bind(detail: [UInt8]) throws(StoreError) {
        try bind(text: detail.isEmpty ? Array("{}".utf8) : detail)
    }

    mutating func bind(_ phase: SavedPhase) throws(StoreError) {
        try bind(phase.firstPollAt)
        try bind(phase.firstAnswerAt)
        try bind(phase.lastPollAt)
        try bind(phase.lastSeenAt)
        try bind(phase.nextPollAt)
        try bind(phase.step)
    }

    mutating func bind(_ progress: Progress?) throws(StoreError) {
        try bind(progress.map { Int64($0.done) })
        try bind(progress.map { Int64($0.total) })
    }
}
