/// What a server holds at one moment; all of it is zero when nobody is connected.
package struct HTTPServerFigures: Hashable, Sendable {
    package var connections = 0
    /// Requests that have begun and not ended, streams included.
    package var requests = 0
    /// Requests whose connections rest: a handler runs, or a stream has nothing to say.
    package var suspended = 0
    /// Handlers that run.
    package var handlers = 0
    /// Requests that wait for a handler to end.
    package var waiting = 0
    /// Bytes of bodies.
    package var held = 0
    /// Connections that count for their users, those that are refused among them.
    package var counted = 0

    package init() {}
}
