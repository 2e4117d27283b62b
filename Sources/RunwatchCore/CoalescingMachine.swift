/// Chooses between one request a run and one request for all, by what each has cost so far.
///
/// Cost is counted in bytes of answer; a request of its own counts as `overhead` bytes, which is what
/// reading an answer of that size costs in processor time.
package struct CoalescingMachine: Sendable, Equatable {
    /// The processor time of a request (25 to 50 µs) is that of scanning about eight kilobytes.
    package static let overhead = 8192.0
    /// A service is measured anew once single answers have cost this many times its all-answer.
    private static let patience = 10.0
    /// What a single answer is taken to hold before any was seen.
    private static let assumedSingle = 1024.0
    private static let memory = 0.2

    private let policy: KineticaSettings.Coalesce
    private var single = CoalescingMachine.assumedSingle
    /// The size of the last all-answer; `nil` while never seen.
    private var whole: Double?
    /// The last request for all was of no use, however many watches it would have served.
    private var isRefused = false
    private var spentOnSingles = 0.0

    package init(_ policy: KineticaSettings.Coalesce) {
        self.policy = policy
    }

    /// Whether one request for all is the cheaper way.
    ///
    /// - Parameter polls: How many single polls it would replace within one interval.
    package func choosesAll(replacing polls: Double) -> Bool {
        switch policy {
        case .always: return true
        case .never: return false
        case .auto: break
        }
        // A whole poll must be replaced; the sum of rates is a little inexact.
        guard polls >= 1.5 else { return false }
        guard let whole else { return true }
        let singles = polls * (single + CoalescingMachine.overhead)
        if !isRefused, whole + CoalescingMachine.overhead <= singles { return true }
        return spentOnSingles > CoalescingMachine.patience * whole
    }

    package mutating func answeredSingle(bytes: Int) {
        single += (Double(bytes) - single) * CoalescingMachine.memory
        spentOnSingles += Double(bytes) + CoalescingMachine.overhead
    }

    package mutating func answeredAll(bytes: Int) {
        whole = Double(bytes)
        isRefused = false
        spentOnSingles = 0
    }

    /// A request for all was refused or its answer was too large: it counts as costing `bytes`.
    ///
    /// It is made again when single answers have cost much more than that.
    package mutating func refusedAll(bytes: Int) {
        whole = max(Double(bytes), 1_048_576)
        isRefused = true
        spentOnSingles = 0
    }
}
