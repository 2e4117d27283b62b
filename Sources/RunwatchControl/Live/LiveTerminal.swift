package import RunwatchLinux

/// A terminal that something is drawn on in place.
package struct LiveTerminal: Sendable {
    /// What happened to the terminal since it was last asked.
    package struct News: Hashable, Sendable {
        /// Its size may have changed, or what stood there.
        package var isAny: Bool
        /// The program was stopped, and somebody else has written there.
        package var wasStopped: Bool

        package init(isAny: Bool, wasStopped: Bool = false) {
            self.isAny = isAny
            self.wasStopped = wasStopped
        }
    }

    package var size: @Sendable () -> TerminalSize
    package var write: @Sendable ([UInt8]) -> Bool
    /// Takes the terminal over; called once.
    /// - Parameters: What to write then, and what before it is left, in whatever way.
    package var enter: @Sendable (_ entering: [UInt8], _ leaving: [UInt8]) -> Void
    package var leave: @Sendable () -> Void
    /// Can be read when there are news; -1 for none.
    package var newsDescriptor: @Sendable () -> Int32
    package var takeNews: @Sendable () -> News

    package init(
        size: @escaping @Sendable () -> TerminalSize, write: @escaping @Sendable ([UInt8]) -> Bool,
        enter: @escaping @Sendable (_ entering: [UInt8], _ leaving: [UInt8]) -> Void = { _, _ in },
        leave: @escaping @Sendable () -> Void = {},
        newsDescriptor: @escaping @Sendable () -> Int32 = { -1 },
        takeNews: @escaping @Sendable () -> News = { News(isAny: false) }
    ) {
        self.size = size
        self.write = write
        self.enter = enter
        self.leave = leave
        self.newsDescriptor = newsDescriptor
        self.takeNews = takeNews
    }

    /// The terminal at a descriptor; `nil` when there is none, or one that can only write on.
    /// - Parameter hidesInput: What is typed is not shown while something is drawn.
    package static func at(
        _ descriptor: Int32, isTerminal: Bool, environment: [String: String], hidesInput: Bool,
        write: @escaping @Sendable ([UInt8]) -> Bool
    ) -> LiveTerminal? {
        // terminfo's `dumb` knows no cursor movement; without TERM nothing is known.
        guard isTerminal, let kind = environment["TERM"], !kind.isEmpty, kind != "dumb"
        else { return nil }
        return LiveTerminal(
            size: { TerminalSize.of(descriptor) }, write: write,
            enter: {
                TerminalGuard.enter(
                    descriptor, entering: $0, leaving: $1, hidesInput: hidesInput)
            },
            leave: { TerminalGuard.leave() }, newsDescriptor: { TerminalGuard.news },
            takeNews: {
                let news = TerminalGuard.takeNews()
                return News(isAny: news.isAny, wasStopped: news.wasStopped)
            })
    }
}
