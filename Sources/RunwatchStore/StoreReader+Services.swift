import RunwatchCore

extension StoreReader {
    /// Those of the services whose outage was told and whose return was not.
    package func servicesToldDown(among names: [String]) throws(StoreError) -> Set<String> {
        var down: Set<String> = []
        for name in names {
            var row = try connection.cached(
                """
                SELECT type FROM event INDEXED BY event_by_subject
                WHERE subject = ? AND type IN ('service.down', 'service.up')
                ORDER BY number DESC LIMIT 1
                """)
            try row.bind(name)
            if try row.step(), row.text(0) == EventType.serviceDown.name { down.insert(name) }
        }
        return down
    }
}
