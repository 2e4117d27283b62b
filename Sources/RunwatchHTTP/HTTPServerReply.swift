/// What a server does with a request: it answers, or it misbehaves as a simulated service has to.
package enum HTTPServerReply: Sendable {
    case response(HTTPServerResponse)
    /// The whole answer is announced, and the connection is closed after so many bytes of its body.
    ///
    /// Only for bodies of bytes, as is `stall`; with a stream it is the same as `close`.
    case cut(HTTPServerResponse, after: Int)
    /// The whole answer is announced, and after so many bytes of its body nothing more comes.
    case stall(HTTPServerResponse, after: Int)
    /// These bytes, at most a few kilobytes, instead of an answer; then the connection is closed.
    case raw([UInt8])
    /// The connection is reset (TCP only; a Unix socket is closed).
    case reset
    /// The connection is closed without a byte.
    case close
    /// Nothing comes until the peer goes away or the server is closed.
    case hang
}
