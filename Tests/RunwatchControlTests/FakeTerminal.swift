import RunwatchControl
import RunwatchLinux
import Synchronization
import TestSupport

/// A terminal made of values, which a test looks at, resizes and takes away.
final class FakeTerminal: Sendable {
    private struct State {
        var screen: ScreenModel
        var hasNews = false
        var isGone = false
        var entered = 0
        var left = 0
        /// Written when it is left.
        var leaving: [UInt8] = []
    }

    private let state: Mutex<State>

    init(columns: Int = 80, rows: Int = 24) {
        state = Mutex(State(screen: ScreenModel(columns: columns, rows: rows)))
    }

    var terminal: LiveTerminal {
        LiveTerminal(
            size: {
                self.state.withLock {
                    TerminalSize(columns: $0.screen.columns, rows: $0.screen.rows)
                }
            },
            write: { bytes in
                self.state.withLock {
                    $0.screen.write(bytes)
                    return !$0.isGone
                }
            },
            enter: { entering, leaving in
                self.state.withLock {
                    $0.entered += 1
                    $0.leaving = leaving
                    $0.screen.write(entering)
                }
            },
            leave: {
                self.state.withLock {
                    $0.left += 1
                    $0.screen.write($0.leaving)
                }
            },
            takeNews: {
                self.state.withLock { state in
                    defer { state.hasNews = false }
                    return LiveTerminal.News(isAny: state.hasNews)
                }
            })
    }

    var screen: ScreenModel { state.withLock { $0.screen } }
    var entered: Int { state.withLock { $0.entered } }
    var left: Int { state.withLock { $0.left } }

    func resize(columns: Int, rows: Int) {
        state.withLock {
            $0.screen.resize(columns: columns, rows: rows)
            $0.hasNews = true
        }
    }

    /// Every further write fails.
    func takeAway() { state.withLock { $0.isGone = true } }
}
