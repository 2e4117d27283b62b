import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchDelivery
import RunwatchStore

// Deliveries and receivers.
extension DaemonBackend {
    func deliveries(
        _ query: DeliveryQuery, after: DeliveryCursor?, limit: Int
    ) async throws(Problem) -> DeliveryPage {
        let filter = DeliveryFilter(
            states: Set(query.states.compactMap { DeliveryState(rawValue: $0.rawValue) }),
            receiver: query.receiver, subject: query.name)
        let place = after.map {
            DeliveryPlace(eventNumber: $0.eventNumber, receiver: $0.receiver)
        }
        // One more than asked for tells whether there is a next page.
        let rows = try await list { (reader) throws(StoreError) in
            try await reader.deliveries(
                filter, after: place, isNewestFirst: query.isNewestFirst, limit: limit + 1)
        }
        let page = Array(rows.prefix(limit))
        var next: DeliveryCursor?
        if rows.count > limit, let last = page.last {
            next = DeliveryCursor(eventNumber: last.eventNumber, receiver: last.receiver)
        }
        return DeliveryPage(await views(page), next: next)
    }

    func delivery(_ id: String) async throws(Problem) -> DeliveryView {
        let row = try await read { (reader) throws(StoreError) in try await reader.delivery(id) }
        guard let row else { throw .noSuchDelivery(id) }
        return await views([row])[0]
    }

    // MARK: Actions

    func redeliver(_ id: String) async throws(Problem) -> DeliveryView {
        let row = try await message(id)
        guard await deliverer.hasReceiver(row.receiver) else {
            throw DaemonBackend.notConfigured(row.receiver)
        }
        let redelivery: Redelivery
        do {
            redelivery = try await store.redeliver(id: id)
        } catch {
            throw error.code == .notFound
                ? .noSuchDelivery(id) : Problem(.unavailable, error.message)
        }
        await deliverer.hurry(redelivery)
        let changed = try await message(id)
        var view = await views([changed])[0]
        if view.state == .pending, changed.dueAt != nil {
            // Attempted now, whatever its receiver's other deliveries wait for.
            view.nextAttemptAt = changed.dueAt
            view.nextAttemptReason = nil
        }
        return view
    }

    /// The delivery of that ID, or the oldest one of the digest of that ID.
    private func message(_ id: String) async throws(Problem) -> DeliveryRow {
        let row = try await read { (reader) throws(StoreError) in
            if let row = try await reader.delivery(id) { return row as DeliveryRow? }
            return try await reader.firstDelivery(ofDigest: id)
        }
        guard let row else { throw .noSuchDelivery(id) }
        return row
    }

    func redeliverFailed(receiver: String?) async throws(Problem) -> Int {
        let configured = await deliverer.status().map(\.name)
        if let receiver, !configured.contains(receiver) {
            let failed = try await read { (reader) throws(StoreError) in
                try await reader.deliveries(
                    DeliveryFilter(states: [.failed], receiver: receiver), limit: 1)
            }
            throw failed.isEmpty
                ? DaemonBackend.noSuch(receiver, among: configured)
                : DaemonBackend.notConfigured(receiver)
        }
        var count = 0
        // Those of receivers that are not configured any more would only wait in another state.
        for name in receiver.map({ [$0] }) ?? configured {
            do {
                count += try await store.redeliverFailed(receiver: name)
            } catch {
                throw Problem(.unavailable, error.message)
            }
            await deliverer.encourage(name)
        }
        return count
    }

    func testReceiver(_ name: String) async throws(Problem) -> DeliveryView {
        guard let test = await deliverer.test(name) else {
            let configured = await deliverer.status().map(\.name)
            guard configured.contains(name) else {
                throw DaemonBackend.noSuch(name, among: configured)
            }
            throw Problem(
                .unavailable, "The daemon is stopping; test the receiver after its start.")
        }
        let isDelivered = test.result.outcome == .delivered
        let state: DeliveryView.State = isDelivered ? .delivered : .failed
        return DeliveryView(
            id: test.id, receiver: name, type: EventType.receiverTest.name, name: name,
            state: state, createdAt: test.at,
            attempts: [
                AttemptView(
                    at: test.at, outcome: state.rawValue, status: test.result.status,
                    duration: test.duration,
                    message: test.result.message.isEmpty ? nil : test.result.message)
            ])
    }

    private static func notConfigured(_ receiver: String) -> Problem {
        Problem(
            .conflict,
            "Receiver '\(receiver)' is not configured any more; nothing was changed. Configure it "
                + "again: then what is pending is delivered, and what has failed can be redelivered."
        )
    }

    private static func noSuch(_ receiver: String, among names: [String]) -> Problem {
        .noSuchReceiver(receiver, near: NearestName.find(receiver, among: names))
    }

    // MARK: Views

    func views(_ rows: [DeliveryRow]) async -> [DeliveryView] {
        let receivers = Dictionary(
            await deliverer.status().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let now = daemon.time.wallClock()
        return rows.map { DaemonBackend.view($0, receivers[$0.receiver], now: now) }
    }

    private static func view(
        _ row: DeliveryRow, _ receiver: ReceiverStatus?, now: Timestamp
    ) -> DeliveryView {
        var view = DeliveryView(
            id: row.id, receiver: row.receiver, type: row.type.name, name: row.subject,
            state: DeliveryView.State(rawValue: row.state.rawValue) ?? .pending,
            createdAt: row.createdAt, finishedAt: row.finishedAt, digest: row.digest,
            earlierAttempts: max(0, row.attempts - row.history.count),
            attempts: row.history.map {
                AttemptView(
                    at: $0.at, outcome: $0.outcome, status: $0.status, duration: $0.duration,
                    message: $0.message.isEmpty ? nil : $0.message)
            })
        guard row.state == .pending else { return view }
        guard let receiver else {
            view.nextAttemptReason = "its receiver is not configured any more"
            return view
        }
        guard let dueAt = row.dueAt else {
            view.nextAttemptReason = "an earlier event of \(row.subject) comes first"
            return view
        }
        guard !receiver.isDisabled else {
            view.nextAttemptReason =
                "its receiver said that it is gone (HTTP 410); a reload tries it again"
            return view
        }
        if let window = receiver.digestWindow, row.digest == nil, row.attempts == 0 {
            view.nextAttemptAt = dueAt.advanced(by: window)
            view.nextAttemptReason = "it waits for others of its digest"
            return view
        }
        view.nextAttemptAt = dueAt
        if receiver.isFailing, dueAt <= now {
            view.nextAttemptReason = "its receiver fails, and what is due takes turns"
        }
        return view
    }

    /// The configured receivers, and behind them those that are not and that deliveries wait for.
    static func views(
        _ receivers: [ReceiverStatus], _ backlog: [String: MetricsSnapshot.ReceiverBacklog]
    ) -> [ReceiverView] {
        let configured = receivers.map { receiver in
            let owed = backlog[receiver.name]
            let isWell = !receiver.isFailing && !receiver.isDisabled
            return ReceiverView(
                name: receiver.name, kind: receiver.kind, pending: owed?.pending ?? 0,
                failed: owed?.failed ?? 0, oldestPending: owed?.oldestPending,
                digestWindow: receiver.digestWindow, isDisabled: receiver.isDisabled,
                isFailing: receiver.isFailing,
                lastError: isWell && receiver.restsUntil == nil ? nil : receiver.lastError,
                restsUntil: receiver.restsUntil, nextTry: receiver.nextTryAt)
        }
        let names = Set(receivers.map(\.name))
        let others = backlog.values.filter { !names.contains($0.receiver) }
            .sorted { $0.receiver < $1.receiver }
        return configured
            + others.map { owed in
                ReceiverView(
                    name: owed.receiver, kind: nil, isConfigured: false, pending: owed.pending,
                    failed: owed.failed, oldestPending: owed.oldestPending)
            }
    }
}
