import Dispatch
import RunwatchCore
import RunwatchHTTP

/// The deliverer's transports, one for each way of connecting; bound to the deliverer's queue.
final class TransportPool {
    /// A transport that no receiver uses any more, but for what is under way.
    private struct Retired {
        var transport: any HTTPTransport
        var users: Set<String>
    }

    private let queue: DispatchQueue
    private let make: @Sendable (DispatchQueue, HTTPConnectionOptions) -> any HTTPTransport
    private var transports: [HTTPConnectionOptions: any HTTPTransport] = [:]
    private var retired: [Retired] = []

    init(
        queue: DispatchQueue,
        make: @escaping @Sendable (DispatchQueue, HTTPConnectionOptions) -> any HTTPTransport
    ) {
        self.queue = queue
        self.make = make
    }

    static func options(of settings: WebhookSettings) -> HTTPConnectionOptions {
        HTTPConnectionOptions(
            caFile: settings.tls.caFile, certFile: settings.tls.certFile,
            keyFile: settings.tls.keyFile, proxy: settings.proxy)
    }

    func transport(for settings: WebhookSettings) -> any HTTPTransport {
        let options = TransportPool.options(of: settings)
        if let transport = transports[options] { return transport }
        let transport = make(queue, options)
        transports[options] = transport
        return transport
    }

    /// Retires every transport but those for `settings`.
    /// - Parameter users: Deliveries under way, on whichever transport.
    func keep(for settings: [WebhookSettings], users: Set<String>) {
        let wanted = Set(settings.map(TransportPool.options))
        for (options, transport) in transports where !wanted.contains(options) {
            transports[options] = nil
            retired.append(Retired(transport: transport, users: users))
        }
        closeUnused()
    }

    /// A delivery is no longer under way.
    func ended(_ user: String) {
        guard !retired.isEmpty else { return }
        for index in retired.indices { retired[index].users.remove(user) }
        closeUnused()
    }

    func closeAll() {
        for transport in transports.values { transport.close() }
        for entry in retired { entry.transport.close() }
        transports = [:]
        retired = []
    }

    private func closeUnused() {
        for entry in retired where entry.users.isEmpty {
            // Later, for this may be running inside one of the transport's own completions.
            nonisolated(unsafe) let transport = entry.transport
            queue.async { transport.close() }
        }
        retired.removeAll { $0.users.isEmpty }
    }
}
