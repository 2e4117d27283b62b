/// How much a server takes from those who connect to it.
package struct HTTPServerLimits: Hashable, Sendable {
    /// Connections at once; further ones wait in the kernel's backlog.
    package var connections: Int
    /// What one user may take of them; `nil` for no bound, as on TCP, where users are not known.
    package var users: HTTPServerUserLimits?
    /// Bytes for one connection's request line, headers and buffers; each header takes 72 bytes besides its
    /// text.
    ///
    /// What the library cannot hold it refuses in its own words, so there has to be more than `head`.
    package var memoryPerConnection: Int
    /// The largest request line with all headers, in bytes; a larger one is answered 431, or 414 when it is
    /// the target.
    package var head: Int
    /// How long a peer may take for a whole request, head and body: from its connection on, or from the
    /// end of the answer before.
    ///
    /// Silence between two requests counts, and bytes that trickle gain nothing.
    package var requestTimeout: Duration
    /// How long a peer may take nothing of what waits for it.
    ///
    /// A stream that has nothing to say, and a handler that runs, may rest for as long as they like.
    package var stallTimeout: Duration
    /// The largest request body, in bytes; a larger one is answered 413.
    package var body: Int
    /// Handlers that run at once, those of exempt users not counted; further requests wait their turn.
    package var handlers: Int
    /// Bytes of all bodies together, of requests and of answers, that are held for slow peers; beyond it
    /// requests are answered 503.
    package var held: Int

    /// 512 connections of 64 KiB are 32 MiB at the worst; the API's largest request is far below 1 MiB.
    ///
    /// Thirty seconds are enough for a person who types a request by hand, and for a program that was
    /// stopped for a moment. `held` is some hundred of the API's largest pages.
    package init(
        connections: Int = 512, users: HTTPServerUserLimits? = nil,
        memoryPerConnection: Int = 64 << 10, head: Int = 32 << 10,
        requestTimeout: Duration = .seconds(30),
        stallTimeout: Duration = .seconds(30), body: Int = 1 << 20, handlers: Int = .max,
        held: Int = 64 << 20
    ) {
        self.connections = connections
        self.users = users
        self.memoryPerConnection = memoryPerConnection
        self.head = head
        self.requestTimeout = requestTimeout
        self.stallTimeout = stallTimeout
        self.body = body
        self.handlers = handlers
        self.held = held
    }
}

/// What one user may take of a server on a Unix socket.
package struct HTTPServerUserLimits: Hashable, Sendable {
    /// Connections of one user.
    package var each: Int
    /// Of the server's connections, those kept for `exempt` users.
    package var reserved: Int
    /// Users that no bound but the server's own holds for.
    package var exempt: Set<UInt32>

    package init(each: Int, reserved: Int, exempt: Set<UInt32>) {
        self.each = each
        self.reserved = reserved
        self.exempt = exempt
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
