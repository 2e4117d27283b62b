package import RunwatchCore

/// One thing that is not well, as the API shows it under `problems`.
package struct TroubleView: WireView {
    /// What kind of trouble; the raw values are the API's words.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// Polls or deliveries stand still, and the watchdog is not fed.
        case notAdvancing = "not_advancing"
        /// The database cannot be written.
        case database
        /// Many changes wait for the disk.
        case diskSlow = "disk_slow"
        case configuration
        case serviceDown = "service_down"
        case serviceDegraded = "service_degraded"
        /// A service's limits are too small for its watches.
        case pollsLate = "polls_late"
        /// A `discover:` entry finds nothing new.
        case discovery
        /// Watches of a service that is not configured.
        case unserved
        case receiverDisabled = "receiver_disabled"
        case receiverFailing = "receiver_failing"
        /// It asked to be left alone.
        case receiverResting = "receiver_resting"
        /// Its oldest pending delivery is old.
        case receiverBehind = "receiver_behind"
        /// Deliveries were given up.
        case receiverFailed = "receiver_failed"
        /// Not configured any more, and still owed something.
        case receiverUnconfigured = "receiver_unconfigured"
    }

    /// One of `Code`'s words, or a later one's.
    package var code: String
    /// The service or receiver that it is about; `nil` for the daemon itself.
    package var subject: String?
    /// One line that names the thing, the fault and the remedy; for people, no secrets.
    package var message: String

    package init(_ code: Code, subject: String? = nil, _ message: String) {
        self.code = code.rawValue
        self.subject = subject
        self.message = message
    }

    package init(_ object: WireObject) throws(WireError) {
        code = try object.text("code")
        subject = try object.optionalText("subject")
        message = try object.text("message")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("code", code)
        writer.member("subject", subject)
        writer.member("message", message)
        writer.endObject()
    }
}

/// A `discover:` entry that finds nothing new at present, as the API shows it.
package struct DiscoveryTroubleView: WireView {
    package var runTag: String
    package var error: String

    package init(runTag: String, error: String) {
        self.runTag = runTag
        self.error = error
    }

    package init(_ object: WireObject) throws(WireError) {
        runTag = try object.text("run_tag")
        error = try object.text("error")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("run_tag", runTag)
        writer.member("error", error)
        writer.endObject()
    }
}

/// Watches that nobody polls, since their service is not configured, as the API shows them.
package struct UnservedView: WireView {
    package var service: String
    /// How many have not ended.
    package var watches: Int

    package init(service: String, watches: Int) {
        self.service = service
        self.watches = watches
    }

    package init(_ object: WireObject) throws(WireError) {
        service = try object.text("service")
        watches = try object.count("watches")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("service", service)
        writer.member("watches", watches)
        writer.endObject()
    }
}
