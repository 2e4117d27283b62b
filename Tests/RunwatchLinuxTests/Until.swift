/// Waits until something holds, looking again and again; false when a generous minute was not enough.
func until(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now.advanced(by: .seconds(60))
    while !condition() {
        guard !Task.isCancelled, ContinuousClock.now < end else { return false }
        // Cancellation ends the loop above.
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}
