import Dispatch
import RunwatchCore
import RunwatchHTTP

/// The transports of all receivers that have a server to speak to; bound to the deliverer's queue.
final class ReceiverTransports {
    typealias HTTPPool = TransportPool<HTTPConnectionOptions, any HTTPTransport>
    typealias MailPool = TransportPool<MailOptions, any MailTransport>

    struct MailOptions: Hashable {
        var connection: HTTPConnectionOptions
        /// Mails under way at once.
        var maximumConnections: Int
    }

    private let http: HTTPPool
    private let mail: MailPool

    init(
        queue: DispatchQueue,
        makeHTTP: @escaping @Sendable (DispatchQueue, HTTPConnectionOptions) -> any HTTPTransport,
        makeMail:
            @escaping @Sendable (DispatchQueue, HTTPConnectionOptions, Int) -> any MailTransport
    ) {
        http = HTTPPool(queue: queue, make: makeHTTP) { $0.close() }
        mail = MailPool(
            queue: queue, make: { makeMail($0, $1.connection, $1.maximumConnections) }
        ) { $0.close() }
    }

    /// - Parameter peer: How the receiver's server is connected to.
    func http(for settings: ReceiverSettings, _ peer: PeerSettings) -> any HTTPTransport {
        http.transport(for: ReceiverTransports.key(settings, peer))
    }

    func mail(for settings: ReceiverSettings, _ email: EmailSettings) -> any MailTransport {
        mail.transport(for: ReceiverTransports.key(settings, email))
    }

    /// Retires every transport but those of these receivers.
    /// - Parameter users: Deliveries under way, on whichever transport.
    func keep(_ receivers: [ReceiverSettings], users: Set<String>) {
        var peers: Set<HTTPPool.Key> = []
        var mails: Set<MailPool.Key> = []
        for settings in receivers {
            switch settings.kind {
            case .webhook(let webhook):
                peers.insert(ReceiverTransports.key(settings, webhook.peer))
            case .chat(let chat): peers.insert(ReceiverTransports.key(settings, chat.peer))
            case .email(let email): mails.insert(ReceiverTransports.key(settings, email))
            case .stdout, .exec: break
            }
        }
        http.keep(peers, users: users)
        mail.keep(mails, users: users)
    }

    /// Something that no window knows is under way.
    func began(_ user: String) {
        http.began(user)
        mail.began(user)
    }

    /// A delivery is no longer under way.
    func ended(_ user: String) {
        http.ended(user)
        mail.ended(user)
    }

    func closeAll() {
        http.closeAll()
        mail.closeAll()
    }

    private static func key(_ settings: ReceiverSettings, _ peer: PeerSettings) -> HTTPPool.Key {
        var options = options(peer.tls)
        options.proxy = peer.proxy
        options.refusesPrivate = peer.deniesPrivate
        return HTTPPool.Key(receiver: settings.name, options: options)
    }

    private static func key(_ settings: ReceiverSettings, _ email: EmailSettings) -> MailPool.Key {
        // One more than the receiver's attempts: a test must not wait for a server that hangs.
        let options = MailOptions(
            connection: options(email.tls), maximumConnections: settings.concurrency + 1)
        return MailPool.Key(receiver: settings.name, options: options)
    }

    private static func options(_ tls: TLSSettings) -> HTTPConnectionOptions {
        HTTPConnectionOptions(caFile: tls.caFile, certFile: tls.certFile, keyFile: tls.keyFile)
    }
}
