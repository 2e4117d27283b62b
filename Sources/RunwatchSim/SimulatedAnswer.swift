import RunwatchCore

/// What a request to a simulated service was for.
package enum SimulatedRequestKind: String, Hashable, Sendable {
    /// The status of one run.
    case single
    /// The status of all runs.
    case all
    /// The status of the runs with a tag.
    case tagged
    case checkIn = "check_in"
    case process
    case upload
    case delete
    case list
    case output
    case execute
    case kill
    case system
    case ping
    case other
}

/// What a simulated service says to one request, before any fault.
package struct SimulatedAnswer: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var kind: SimulatedRequestKind
    /// The run that was asked about, when it was one.
    package var run: String?
    /// What was wrong with the request, by the protocol.
    package var violation: String?
    /// Whether finished runs were asked to be forgotten.
    package var clearsComplete = false

    init(
        status: Int, body: [UInt8], kind: SimulatedRequestKind, run: String? = nil,
        contentType: String = "application/json"
    ) {
        self.status = status
        headers = contentType.isEmpty ? [] : [("content-type", contentType)]
        self.body = body
        self.kind = kind
        self.run = run
    }
}

/// Text forms that HTTP asks for.
enum SimulatedText {
    /// An HTTP date (RFC 9110, section 5.6.7): `Sun, 22 Nov 2026 08:30:00 GMT`.
    static func httpDate(_ moment: Timestamp) -> String {
        let text = Array(moment.description)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        // 1970 began on a Thursday.
        let day = Int(max(0, moment.milliseconds) / 86_400_000 % 7)
        let month = (Int(String(text[5...6])) ?? 1) - 1
        return "\(days[day]), \(String(text[8...9])) \(months[max(0, min(11, month))]) "
            + "\(String(text[0...3])) \(String(text[11...18])) GMT"
    }
}
