package import RunwatchCore

/// A transient watch as the record has it.
package struct TransientWatch: Sendable, Equatable {
    /// As it was asked for.
    package var request: WatchRequest
    package var saved: SavedWatch

    package init(request: WatchRequest, saved: SavedWatch) {
        self.request = request
        self.saved = saved
    }
}

/// What became of a request for transient watches.
package enum TransientAddition: Sendable, Equatable {
    package struct Listed: Sendable, Equatable {
        package var saved: SavedWatch
        /// It was not listed before; it may have a history all the same.
        package var isNew: Bool

        package init(saved: SavedWatch, isNew: Bool) {
            self.saved = saved
            self.isNew = isNew
        }
    }

    /// Every run is watched; one for each, in the same order.
    case listed([Listed])
    /// One of them is watched otherwise already; nothing was changed.
    case conflict(WatchConflict)
}

/// Why a watch cannot be added: it is there, with other settings.
package struct WatchConflict: Error, Hashable, Sendable {
    package var name: WatchName
    /// `FILE:LINE`; `nil` when another request brought it.
    package var place: String?
    /// The keys in which what is asked differs from what is there; empty for a watch of a file.
    package var keys: [String]

    package init(name: WatchName, place: String?, keys: [String] = []) {
        self.name = name
        self.place = place
        self.keys = keys
    }
}

/// A watch that retention has deleted.
package struct PrunedWatch: Sendable, Equatable {
    package var id: WatchID
    package var name: WatchName

    package init(id: WatchID, name: WatchName) {
        self.id = id
        self.name = name
    }
}

/// The end of a transient watch.
package struct WatchRemoval: Sendable {
    package var id: WatchID
    /// What follows from it: a group that has no active watch left.
    package var events: [NewEvent]

    package init(id: WatchID, events: [NewEvent] = []) {
        self.id = id
        self.events = events
    }
}
