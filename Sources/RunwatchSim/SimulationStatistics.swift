import RunwatchCore

/// What has been asked of a simulation, and what it did to those who asked.
package struct SimulationStatistics: Hashable, Sendable {
    /// Requests by service and kind.
    package var requests: [SimulatedService: [SimulatedRequestKind: Int]] = [:]
    package var faults: [SimulatedFault.Kind: Int] = [:]
    /// Requests with `clear_complete`; a watcher never sends one.
    package var clearsComplete = 0
    package var violationCount = 0
    /// Requests that break the protocol, in words; the last 100.
    package var violations: [String] = []
    /// Requests that are being answered, and the most there ever were at once.
    package var underWay: [SimulatedService: Int] = [:]
    package var mostUnderWay: [SimulatedService: Int] = [:]

    package init() {}

    package func count(_ service: SimulatedService, _ kind: SimulatedRequestKind) -> Int {
        requests[service]?[kind] ?? 0
    }

    mutating func began(_ service: SimulatedService, _ answer: SimulatedAnswer) {
        requests[service, default: [:]][answer.kind, default: 0] += 1
        underWay[service, default: 0] += 1
        mostUnderWay[service] = max(mostUnderWay[service] ?? 0, underWay[service] ?? 0)
        if answer.clearsComplete { clearsComplete += 1 }
        guard let violation = answer.violation else { return }
        violationCount += 1
        violations.append("\(service.rawValue): \(violation.prefix(300))")
        if violations.count > 100 { violations.removeFirst() }
    }

    mutating func ended(_ service: SimulatedService) {
        underWay[service, default: 0] -= 1
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("requests")
        writer.beginObject()
        for service in SimulatedService.allCases {
            writer.key(service.rawValue)
            writer.beginObject()
            for (kind, count) in (requests[service] ?? [:]).sorted(by: {
                $0.key.rawValue < $1.key.rawValue
            }) {
                writer.member(kind.rawValue, count)
            }
            writer.member("most_under_way", mostUnderWay[service] ?? 0)
            writer.endObject()
        }
        writer.endObject()
        writer.key("faults")
        writer.beginObject()
        for (kind, count) in faults.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            writer.member(kind.rawValue, count)
        }
        writer.endObject()
        writer.member("clear_complete", clearsComplete)
        writer.member("violation_count", violationCount)
        writer.key("violations")
        writer.beginArray()
        for violation in violations { writer.string(violation) }
        writer.endArray()
        writer.endObject()
    }
}
