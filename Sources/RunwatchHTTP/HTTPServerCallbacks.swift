import CMicrohttpd
import Glibc

/// The C functions that libmicrohttpd calls, all from within `MHD_run` or `MHD_stop_daemon`, on the queue
/// of the loop that is their first argument.
enum HTTPServerCallbacks {
    /// A request line has been read: makes the exchange, which is then the request's context.
    static let begin:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
            UnsafeMutableRawPointer? = { context, target, connection in
                guard let context, let target, let connection else { return nil }
                let loop = Unmanaged<HTTPServerLoop>.fromOpaque(context).takeUnretainedValue()
                let exchange = HTTPServerExchange(
                    loop: loop, connection: connection, target: String(cString: target))
                loop.begun(exchange)
                return Unmanaged.passRetained(exchange).toOpaque()
            }

    /// Headers, a part of the body, or the end of the request has come, or a connection was resumed.
    static let handle: MHD_AccessHandlerCallback = {
        _, _, _, method, _, data, size, exchangeContext in
        guard let exchange = exchange(exchangeContext), let method, let size else {
            return runwatch_mhd_no
        }
        return exchange.handle(
            method: method,
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
