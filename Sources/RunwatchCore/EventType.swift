/// What kind of thing an event tells.
package enum EventType: Hashable, Sendable, CustomStringConvertible {
    /// A run reached a state: `run.running`, `run.complete`, … Never `run.unknown`.
    case run(RunState)
    case runStalled
    case serviceDown
    case serviceUp
    case groupFinished
    case deliveryFailed
    case receiverTest

    package static let all: [EventType] =
        RunState.allCases.filter { $0 != .unknown }.map { .run($0) }
        + [.runStalled, .serviceDown, .serviceUp, .groupFinished, .deliveryFailed, .receiverTest]

    /// What a receiver gets when its `on:` is not given: the final states.
    package static let finalStates: Set<EventType> = Set(RunState.finalStates.map { .run($0) })

    package var name: String {
        switch self {
        case .run(let state): "run.\(state.name)"
        case .runStalled: "run.stalled"
        case .serviceDown: "service.down"
        case .serviceUp: "service.up"
        case .groupFinished: "group.finished"
        case .deliveryFailed: "delivery.failed"
        case .receiverTest: "receiver.test"
        }
    }

    package var description: String { name }

    /// Reads a type; `run.` may be left out.
    package init?(name: some StringProtocol) {
        guard
            let type = EventType.all.first(where: {
                $0.name == name || $0.name == "run." + name
            })
        else { return nil }
        self = type
    }
}
