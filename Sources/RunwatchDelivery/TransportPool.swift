import Dispatch

/// Transports of one protocol, one for each receiver that speaks it; bound to the deliverer's queue.
///
/// A transport bounds its connections, so two receivers that shared one could wait for each other.
final class TransportPool<Options: Hashable, Transport> {
    struct Key: Hashable {
        var receiver: String
        var options: Options
    }

    /// A transport that no receiver uses any more, but for what is under way.
    private struct Retired {
        var transport: Transport
        var users: Set<String>
    }

    private let queue: DispatchQueue
    private let make: @Sendable (DispatchQueue, Options) -> Transport
    private let close: @Sendable (Transport) -> Void
    private var transports: [Key: Transport] = [:]
    private var retired: [Retired] = []
    /// Tests that are under way.
    private var guests: Set<String> = []

    init(
        queue: DispatchQueue,
        make: @escaping @Sendable (DispatchQueue, Options) -> Transport,
        close: @escaping @Sendable (Transport) -> Void
    ) {
        self.queue = queue
        self.make = make
        self.close = close
    }

    func transport(for key: Key) -> Transport {
        if let transport = transports[key] { return transport }
        let transport = make(queue, key.options)
        transports[key] = transport
        return transport
    }

    /// Retires every transport but these.
    /// - Parameter users: Deliveries under way, on whichever transport.
    func keep(_ wanted: Set<Key>, users: Set<String>) {
        for (key, transport) in transports where !wanted.contains(key) {
            transports[key] = nil
            retired.append(Retired(transport: transport, users: users.union(guests)))
        }
        closeUnused()
    }

    /// Something that no window knows is under way.
    func began(_ user: String) { guests.insert(user) }

    /// A delivery is no longer under way.
    func ended(_ user: String) {
        guests.remove(user)
        guard !retired.isEmpty else { return }
        for index in retired.indices { retired[index].users.remove(user) }
        closeUnused()
    }

    func closeAll() {
        for transport in transports.values { close(transport) }
        for entry in retired { close(entry.transport) }
        transports = [:]
        retired = []
    }

    private func closeUnused() {
        for entry in retired where entry.users.isEmpty {
            // Later, for this may be running inside one of the transport's own completions.
            nonisolated(unsafe) let transport = entry.transport
            queue.async { [close] in close(transport) }
        }
        retired.removeAll { $0.users.isEmpty }
    }
}
