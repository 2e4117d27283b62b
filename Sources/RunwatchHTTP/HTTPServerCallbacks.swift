import CMicrohttpd
import Glibc

/// The C functions that libmicrohttpd calls, all from within `MHD_run` or `MHD_stop_daemon`, on the queue
/// of the loop that is their first argument.
enum HTTPServerCallbacks {
    /// A connection was accepted, or is about to be closed for good; its object is the socket's context.
    static let connection:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?,
            UnsafeMutablePointer<UnsafeMutableRawPointer?>?, Int32
        ) -> Void = { context, connection, socketContext, hasEnded in
            guard let context, let connection, let socketContext else { return }
            let loop = Unmanaged<HTTPServerLoop>.fromOpaque(context).takeUnretainedValue()
            if let pointer = socketContext.pointee {
                socketContext.pointee = nil
                loop.left(
                    Unmanaged<HTTPServerConnection>.fromOpaque(pointer).takeRetainedValue())
            } else if hasEnded == 0 {
                socketContext.pointee =
                    Unmanaged.passRetained(loop.arrived(runwatch_mhd_socket(connection))).toOpaque()
            }
        }

    /// A request line has been read: makes the exchange, which is then the request's context.
    static let begin:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
            UnsafeMutableRawPointer? = { context, target, connection in
                guard let context, let target, let connection else { return nil }
                let loop = Unmanaged<HTTPServerLoop>.fromOpaque(context).takeUnretainedValue()
                guard let peer = runwatch_mhd_context(connection) else { return nil }
                let exchange = HTTPServerExchange(
                    loop: loop, connection: connection,
                    of: Unmanaged<HTTPServerConnection>.fromOpaque(peer).takeUnretainedValue(),
                    target: String(cString: target))
                hideQuery(target)
                loop.begun(exchange)
                return Unmanaged.passRetained(exchange).toOpaque()
            }

    /// Ends a target at its query, before libmicrohttpd reads that.
    ///
    /// The library would keep each parameter in the connection's memory, 72 bytes for a letter, and when
    /// that is full it drops the connection without an answer. The text is the connection's own buffer, and
    /// is read by nobody but the library from here on.
    private static func hideQuery(_ target: UnsafePointer<CChar>) {
        guard let mark = strchr(target, Int32(UInt8(ascii: "?"))), mark[0] != 0 else { return }
        mark[1] = 0
    }

    /// Headers, a part of the body, or the end of the request has come, or a connection was resumed.
    static let handle: MHD_AccessHandlerCallback = {
        _, _, _, method, version, data, size, exchangeContext in
        guard let exchange = exchange(exchangeContext), let method, let version, let size else {
            return runwatch_mhd_no
        }
        return exchange.handle(
            method: method, version: version,
            data: UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : size.pointee),
            size: size)
    }

    /// A request is over, well or badly; the exchange is released.
    static let complete: MHD_RequestCompletedCallback = { _, _, exchangeContext, _ in
        guard let exchangeContext, let pointer = exchangeContext.pointee else { return }
        exchangeContext.pointee = nil
        Unmanaged<HTTPServerExchange>.fromOpaque(pointer).takeRetainedValue().end()
    }

    /// Leaves escapes alone: a path is split first and unescaped then.
    static let leaveEscaped:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<CChar>?
        ) -> Int = { _, _, text in
            guard let text else { return 0 }
            return strlen(text)
        }

    /// The next part of a body is wanted; the context is the exchange.
    static let fill: MHD_ContentReaderCallback = { context, _, buffer, count in
        guard let context, let buffer else { return -2 }
        return Unmanaged<HTTPServerExchange>.fromOpaque(context).takeUnretainedValue()
            .fill(UnsafeMutableRawBufferPointer(start: buffer, count: count))
    }

    static let release: MHD_ContentReaderFreeCallback = { context in
        guard let context else { return }
        Unmanaged<HTTPServerExchange>.fromOpaque(context).release()
    }

    private static func exchange(
        _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> HTTPServerExchange? {
        guard let pointer = context?.pointee else { return nil }
        return Unmanaged<HTTPServerExchange>.fromOpaque(pointer).takeUnretainedValue()
    }
}
