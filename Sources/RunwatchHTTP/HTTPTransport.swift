/// Sends requests; bound to one queue, on which every call is made and every completion runs.
///
/// A completion is called exactly once, never from within `send`.
package protocol HTTPTransport: AnyObject {
    /// Starts a request. There is no bound on how many may be under way: whoever sends keeps the budget.
    func send(
        _ request: HTTPRequest, completion: @escaping (Result<HTTPResponse, HTTPFailure>) -> Void)

    /// Fails what is under way with `.cancelled` and closes every connection; nothing may be sent after.
    func close()
}

/// How connections to one kind of peer are made.
package struct HTTPConnectionOptions: Hashable, Sendable {
    /// PEM files; `nil` for the system's certificates and no client certificate.
    package var caFile: String?
    package var certFile: String?
    package var keyFile: String?
    package var proxy: String?
    /// Connect to this Unix socket, whatever host the URL names.
    package var unixSocket: String?
    /// Whether an address that is not of the public Internet (`PrivateAddress`) is never connected to,
    /// whichever name it has; that fails with `.refused`.
    ///
    /// A proxy would hide the address, so both together fail with `.badRequest`.
    package var refusesPrivate: Bool

    package init(
        caFile: String? = nil, certFile: String? = nil, keyFile: String? = nil,
        proxy: String? = nil, unixSocket: String? = nil, refusesPrivate: Bool = false
    ) {
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
        self.proxy = proxy
        self.unixSocket = unixSocket
        self.refusesPrivate = refusesPrivate
    }
}
