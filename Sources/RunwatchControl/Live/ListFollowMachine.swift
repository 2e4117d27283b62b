package import RunwatchCore

/// Decides what a live list asks for and which watches it shows, from the pages of the API and from events.
///
/// Holds at most a few screens of watches, however many there are.
package struct ListFollowMachine: Sendable {
    /// A page of watches that the list wants to have.
    package enum Page: Hashable, Sendable {
        /// The first watches by name, and how many there are in each state.
        case first
        /// The first that are not final; wanted when not all fit.
        case active
        /// Those that changed and are on no other page.
        case named([WatchName])
    }

    /// What there is to show.
    package struct Shown: Sendable, Equatable {
        /// What changed last comes first when not all fit, then those that are not final; else by name.
        package var watches: [WatchView]
        /// How many more meet the conditions.
        package var hidden: Int
        package var counts: [RunState: Int]

        package init(watches: [WatchView], hidden: Int, counts: [RunState: Int]) {
            self.watches = watches
            self.hidden = hidden
            self.counts = counts
        }
    }

    /// Names of one request.
    private static let mostNamed = 50

    package let query: WatchQuery
    /// Lines for watches, the one that tells of more included.
    package private(set) var room: Int
    private var counts: [RunState: Int] = [:]
    private var first: [WatchView] = []
    private var active: [WatchView] = []
    private var named: [WatchName: WatchView] = [:]
    /// The latest first; at most half a screen of them.
    private var changed: [WatchName] = []

    package init(query: WatchQuery, room: Int) {
        self.query = query
        self.room = max(1, room)
    }

    package mutating func resized(room: Int) {
        self.room = max(1, room)
        changed.removeLast(max(0, changed.count - mostChanged))
    }

    private var mostChanged: Int {
        min(ListFollowMachine.mostNamed, max(1, room / 2))
    }

    private var total: Int { counts.values.reduce(0, +) }

    private var areAllShown: Bool { total <= room }

    // MARK: Pages

    /// The pages of one reading, in their order: asked after each page until there is none.
    package func page(after last: Page?) -> Page? {
        switch last {
        case nil: return .first
        case .first where !areAllShown && !query.isActiveOnly: return .active
        case .first, .active:
            let known = Set((first + active).map(\.name))
            let names = changed.filter { !known.contains($0) }
            return areAllShown || names.isEmpty ? nil : .named(names)
        case .named: return nil
        }
    }

    /// The parameters of a page.
    package func parameters(of page: Page) -> [(String, String?)] {
        var query = query
        if page == .active { query.isActiveOnly = true }
        var parameters = query.parameters + [("limit", String(limit))]
        switch page {
        case .first: parameters.append(("counts", "true"))
        case .active: break
        case .named(let names): parameters += names.map { ("name", $0.description) }
        }
        return parameters
    }

    private var limit: Int { min(room, ControlParameters.limits.upperBound) }

    /// - Parameter counts: Those of the first page.
    package mutating func read(_ page: Page, _ watches: [WatchView], counts: [RunState: Int]) {
        switch page {
        case .first:
            first = watches
            self.counts = counts
            active = query.isActiveOnly || areAllShown ? [] : active
        case .active: active = watches
        case .named(let names):
            // One that is not there has left its list, or does not meet the conditions any more.
            named = Dictionary(watches.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
            changed.removeAll { names.contains($0) && named[$0] == nil }
        }
    }

    // MARK: Events

    /// Takes a change that concerns the list; the next reading corrects what an event cannot tell.
    package mutating func told(_ change: WatchChange) {
        let name = change.data.name
        changed.removeAll { $0 == name }
        let known =
            first.first { $0.name == name } ?? active.first { $0.name == name } ?? named[name]
        // What was read already is not taken back by the event that told of it.
        guard (known?.data.sequence ?? 0) <= change.data.sequence else { return }
        guard query.admits(change.data.state) else {
            first.removeAll { $0.name == name }
            active.removeAll { $0.name == name }
            named[name] = nil
            return
        }
        let watch = known?.changed(to: change.data) ?? WatchView(data: change.data)
        ListFollowMachine.replace(watch, in: &first)
        ListFollowMachine.replace(watch, in: &active)
        changed.insert(name, at: 0)
        for dropped in changed.dropFirst(mostChanged) { named[dropped] = nil }
        changed.removeLast(max(0, changed.count - mostChanged))
        named[name] = watch
    }

    private static func replace(_ watch: WatchView, in watches: inout [WatchView]) {
        guard let index = watches.firstIndex(where: { $0.name == watch.name }) else { return }
        watches[index] = watch
    }

    // MARK: Showing

    package var shown: Shown {
        guard !areAllShown else { return Shown(watches: first, hidden: 0, counts: counts) }
        let read = Dictionary(
            (first + active).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        var shown = changed.compactMap { read[$0] ?? named[$0] }
        var names = Set(shown.map(\.name))
        let others = query.isActiveOnly ? first : active.filter { !$0.isFinal } + first
        for watch in others where shown.count < room - 1 {
            if names.insert(watch.name).inserted { shown.append(watch) }
        }
        shown = Array(shown.prefix(max(0, room - 1)))
        return Shown(watches: shown, hidden: max(0, total - shown.count), counts: counts)
    }
}

extension WatchView {
    /// The watch after an event.
    func changed(to data: RunEventData) -> WatchView {
        var watch = self
        watch.data = data
        if data.state.isFinal {
            watch.nextPollAt = nil
            watch.nextPollReason = nil
            watch.nextPoll = nil
            watch.prospects = nil
        }
        return watch
    }
}
