extension ControlRoute {
    /// The path as the API's description has it.
    package var pattern: String {
        switch self {
        case .status: "/v1/status"
        case .watches: "/v1/watches"
        case .watch: "/v1/watches/{service}/{id}"
        case .transitions: "/v1/watches/{service}/{id}/transitions"
        case .poll: "/v1/watches/{service}/{id}/poll"
        case .rewatch: "/v1/watches/{service}/{id}/rewatch"
        case .events: "/v1/events"
        case .eventStream: "/v1/events/stream"
        case .deliveries: "/v1/deliveries"
        case .delivery: "/v1/deliveries/{id}"
        case .redeliver: "/v1/deliveries/{id}/redeliver"
        case .redeliverAll: "/v1/deliveries/redeliver"
        case .testReceiver: "/v1/receivers/{name}/test"
        case .reload: "/v1/reload"
        case .metrics: "/metrics"
        case .health: "/healthz"
        case .readiness: "/readyz"
        case .document: "/v1/openapi.json"
        }
    }
}
