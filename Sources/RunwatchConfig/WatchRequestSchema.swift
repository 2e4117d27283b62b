package import RunwatchCore

/// Checks what a request asks of watches, by the rules of the watch list and in its words.
package struct WatchRequestSchema {
    /// A value that cannot be, and where it stands in the request: `ids[3]`, `poll.max`.
    package struct Fault: Hashable, Sendable, CustomStringConvertible {
        package var place: String
        package var message: String

        package init(place: String, message: String) {
            self.place = place
            self.message = message
        }

        /// The words of the watch list begin with the key in quotes often enough.
        package var description: String {
            message.hasPrefix("'\(place)'") ? message : "\(place): \(message)"
        }
    }

    package enum Outcome: Hashable, Sendable {
        case request(WatchRequest)
        /// In the order of the request; never empty.
        case faults([Fault])
    }

    private enum Key: String, SchemaKey {
        case label, group, pipeline
        case poll, deadline, notify
        case pendingAfter = "pending_after"
        case stallAfter = "stall_after"
        case notFoundGrace = "not_found_grace"
    }

    private let configuration: Configuration
    private let diagnostics = DiagnosticCollector()

    private init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Checks a request by the configuration in force.
    package static func check(
        _ asked: AskedWatches, by configuration: Configuration
    ) -> Outcome {
        WatchRequestSchema(configuration).check(asked)
    }

    private func check(_ asked: AskedWatches) -> Outcome {
        let names = configuration.services.map(\.name)
        let schema = Schema(file: "", diagnostics: diagnostics)
        guard let service = configuration.services.first(where: { $0.name == asked.service }) else {
            let message = schema.unknownName(asked.service, "service", among: names)
            return .faults([Fault(place: "service", message: message)])
        }
        let text = WatchRequestText(asked)
        var request = WatchRequest(service: service.name)
        var faults: [Fault] = []
        do throws(YAMLError) {
            try YAMLComposer.document(text.bytes) { root in
                guard let root else { return }
                read(root, schema, service, into: &request)
            }
        } catch {
            faults.append(Fault(place: text.place(ofLine: error.line), message: error.message))
        }
        faults += diagnostics.sorted.filter { $0.severity == .error }.map {
            Fault(place: text.place(ofLine: $0.line), message: $0.message)
        }
        faults += idFaults(asked.ids, service)
        return faults.isEmpty ? .request(request) : .faults(faults)
    }

    private func read(
        _ root: YAMLNode, _ schema: Schema, _ service: ServiceSettings,
        into request: inout WatchRequest
    ) {
        guard let fields = schema.fields(root, "the request", Key.self) else { return }
        request.label = fields[.label].flatMap { schema.line($0, "'label'") }
        request.group = fields[.group].flatMap { schema.line($0, "'group'") }
        request.parameters = parameters(fields, schema, service)
        let partial = schema.settings(
            fields, over: configuration.serviceDefaults[service.name] ?? configuration.defaults,
            receivers: configuration.receivers.map(\.name))
        request.overrides = WatchOverrides(partial)
    }

    private func parameters(
        _ fields: Fields<Key>, _ schema: Schema, _ service: ServiceSettings
    ) -> [String: String] {
        guard case .krixik = service.kind else {
            if let field = fields.field(.pipeline) {
                schema.error(
                    field.keyNode,
                    "'pipeline' is for services of kind krixik; '\(service.name)' is of kind "
                        + service.kind.name)
            }
            return [:]
        }
        if let node = fields[.pipeline] {
            return schema.line(node, "'pipeline'", limit: 256).map { ["pipeline": $0] } ?? [:]
        }
        if configuration.serviceParameters[service.name, default: [:]].isEmpty {
            schema.error(
                fields.node,
                "a watch of a krixik service needs a pipeline: give 'pipeline' with it, or write it "
                    + "at the service '\(service.name)' for all of its watches")
        }
        return [:]
    }

    private func idFaults(_ ids: [String], _ service: ServiceSettings) -> [Fault] {
        var faults: [Fault] = []
        for (place, id) in ids.enumerated() {
            guard let fault = RunIDText.fault(id) else { continue }
            guard faults.count < DiagnosticCollector.limit else { break }
            faults.append(
                Fault(place: "ids[\(place)]", message: RunIDText.message(of: fault, in: id)))
        }
        return faults
    }
}

extension RunIDText {
    /// What is wrong with an ID, with the ID.
    package static func message(of fault: String, in id: String) -> String {
        id.isEmpty ? "the ID is empty" : "the ID \(Shown.value(id)) \(fault)"
    }
}

extension WatchOverrides {
    init(_ partial: PartialSettings) {
        self.init()
        initial = partial.initial
        factor = partial.factor
        maximum = partial.maximum
        jitter = partial.jitter
        deadline = partial.deadline.map(TimeLimit.init)
        pendingAfter = partial.pendingAfter.map(TimeLimit.init)
        stallAfter = partial.stallAfter.map(TimeLimit.init)
        notFoundGrace = partial.notFoundGrace
        notify = partial.notify
    }
}

extension TimeLimit {
    init(_ limit: Limit) {
        self = limit.duration.map { .after($0) } ?? .none
    }
}
