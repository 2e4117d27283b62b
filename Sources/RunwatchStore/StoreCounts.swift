package import RunwatchCore

/// How many watches and deliveries there are, without looking at each.
package struct StoreCounts: Sendable, Equatable {
    package struct Watches: Sendable, Equatable {
        package var service: String
        package var state: RunState
        package var count: Int

        package init(service: String, state: RunState, count: Int) {
            self.service = service
            self.state = state
            self.count = count
        }
    }

    package struct Deliveries: Sendable, Equatable {
        package var receiver: String
        package var pending: Int
        package var failed: Int

        package init(receiver: String, pending: Int = 0, failed: Int = 0) {
            self.receiver = receiver
            self.pending = pending
            self.failed = failed
        }
    }

    /// Listed watches, sorted by service, then by state; none with a count of 0.
    package var watches: [Watches]
    /// Sorted by receiver, those with nothing pending or failed left out.
    package var deliveries: [Deliveries]

    package init(watches: [Watches] = [], deliveries: [Deliveries] = []) {
        self.watches = watches
        self.deliveries = deliveries
    }
}

/// The writer counts by triggers of its own, which are in no file (`TEMP`).
///
/// They run within the transaction of whatever changes a row, and are undone with it: no path can be
/// forgotten, and none can count what was rolled back. Nobody else writes to the database.
extension Connection {
    /// Counts what is there, and has every change counted from now on.
    func beginCounting() throws(StoreError) {
        try execute(
            """
            CREATE TEMP TABLE watch_count (
                service TEXT, state TEXT, number INTEGER, PRIMARY KEY (service, state)
            ) WITHOUT ROWID;
            CREATE TEMP TABLE delivery_count (
                receiver TEXT, state TEXT, number INTEGER, PRIMARY KEY (receiver, state)
            ) WITHOUT ROWID;
            """)
        for count in Connection.firstCounts { try execute(count) }
        try execute(Connection.watchTriggers)
        try execute(Connection.deliveryTriggers)
    }

    /// Each by an index that has all it asks for: the daemon's start waits for them.
    static let firstCounts = [
        """
        INSERT INTO watch_count
            SELECT service, state, count(*) FROM watch INDEXED BY watch_by_state
            WHERE is_listed = 1 GROUP BY service, state
        """,
        """
        INSERT INTO delivery_count
            SELECT receiver, 'pending', count(*) FROM delivery INDEXED BY delivery_oldest
            WHERE state = 'pending' GROUP BY receiver
        """,
        """
        INSERT INTO delivery_count
            SELECT receiver, 'failed', count(*) FROM delivery INDEXED BY delivery_failed
            WHERE state = 'failed' GROUP BY receiver
        """,
    ]

    private static var watchTriggers: String {
        let lessOld = """
            UPDATE watch_count SET number = number - 1
                WHERE OLD.is_listed = 1 AND service = OLD.service AND state = OLD.state;
            """
        let moreNew = """
            INSERT INTO watch_count SELECT NEW.service, NEW.state, 1 WHERE NEW.is_listed = 1
                ON CONFLICT (service, state) DO UPDATE SET number = number + 1;
            """
        return """
            CREATE TEMP TRIGGER watch_came AFTER INSERT ON main.watch BEGIN \(moreNew) END;
            CREATE TEMP TRIGGER watch_left AFTER DELETE ON main.watch BEGIN \(lessOld) END;
            CREATE TEMP TRIGGER watch_changed
                AFTER UPDATE OF service, state, is_listed ON main.watch
                WHEN OLD.state <> NEW.state OR OLD.is_listed <> NEW.is_listed
                    OR OLD.service <> NEW.service
                BEGIN \(lessOld) \(moreNew) END;
            """
    }

    /// What was delivered is not counted: it is most of the table, and nobody asks for it.
    private static var deliveryTriggers: String {
        let lessOld = """
            UPDATE delivery_count SET number = number - 1
                WHERE receiver = OLD.receiver AND state = OLD.state;
            """
        let moreNew = """
            INSERT INTO delivery_count SELECT NEW.receiver, NEW.state, 1
                WHERE NEW.state <> 'delivered'
                ON CONFLICT (receiver, state) DO UPDATE SET number = number + 1;
            """
        return """
            CREATE TEMP TRIGGER delivery_came AFTER INSERT ON main.delivery BEGIN \(moreNew) END;
            CREATE TEMP TRIGGER delivery_left AFTER DELETE ON main.delivery BEGIN \(lessOld) END;
            CREATE TEMP TRIGGER delivery_changed
                AFTER UPDATE OF receiver, state ON main.delivery
                WHEN OLD.state <> NEW.state OR OLD.receiver <> NEW.receiver
                BEGIN \(lessOld) \(moreNew) END;
            """
    }

    /// What has been counted so far.
    func counts() throws(StoreError) -> StoreCounts {
        var counts = StoreCounts()
        var watch = try cached(
            "SELECT service, state, number FROM watch_count WHERE number > 0 ORDER BY service")
        while try watch.step() {
            guard let state = RunState(name: watch.text(1)) else { continue }
            counts.watches.append(
                .init(service: watch.text(0), state: state, count: watch.int(2)))
        }
        counts.watches.sort { ($0.service, $0.state.rawValue) < ($1.service, $1.state.rawValue) }
        var delivery = try cached(
            """
            SELECT receiver, sum(iif(state = 'pending', number, 0)),
                sum(iif(state = 'failed', number, 0))
            FROM delivery_count WHERE number > 0 GROUP BY receiver ORDER BY receiver
            """)
        while try delivery.step() {
            counts.deliveries.append(
                .init(
                    receiver: delivery.text(0), pending: delivery.int(1), failed: delivery.int(2)))
        }
        return counts
    }
}
