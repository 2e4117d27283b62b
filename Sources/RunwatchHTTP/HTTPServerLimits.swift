/// How much a server takes from those who connect to it.
package struct HTTPServerLimits: Hashable, Sendable {
    /// Connections at once; further ones wait in the kernel's backlog.
    package var connections: Int
    /// Bytes for one connection's request line, headers and buffers; a longer head is answered 431.
    package var memoryPerConnection: Int
    /// How long a connection may be silent, in whole seconds; streams and running handlers are exempt.
    ///
    /// It also ends connections whose peer goes away in the middle of a request: libmicrohttpd 0.9.75 does
    /// not always notice an end that comes together with data.
    package var idleTimeout: Duration
    /// The largest request body, in bytes; a larger one is answered 413.
    package var body: Int

    /// 512 connections of 32 KiB are 16 MiB at the worst; the API's largest request is far below 1 MiB.
    package init(
        connections: Int = 512, memoryPerConnection: Int = 32 << 10,
        idleTimeout: Duration = .seconds(30), body: Int = 1 << 20
    ) {
        self.connections = connections
        self.memoryPerConnection = memoryPerConnection
        self.idleTimeout = idleTimeout
        self.body = body
    }
}

/// Why a server could not be started.
package struct HTTPServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Names the server, the fault and its cause.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
