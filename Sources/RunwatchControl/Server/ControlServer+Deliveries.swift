import RunwatchCore
import RunwatchHTTP

// The routes of deliveries that are more than a call.
extension ControlServer {
    func deliveries(
        _ parameters: ControlParameters
    ) async throws(Problem) -> HTTPServerResponse {
        let query = DeliveryQuery(
            states: try parameters.deliveryStates(), receiver: try parameters.text("receiver"),
            name: try parameters.text("name"), isNewestFirst: try parameters.isDescending())
        let page = try await backend.deliveries(
            query, after: try parameters.deliveryCursor(), limit: try parameters.limit())
        return ControlServer.list("deliveries", page.deliveries, next: page.next?.text)
    }

    func redeliverAll(
        _ parameters: ControlParameters
    ) async throws(Problem) -> HTTPServerResponse {
        // Said in words, so that nobody sends everything again by an address without its query.
        guard try parameters.deliveryStates() == [.failed] else {
            throw Problem(
                .badParameter,
                "Only all failed deliveries can be made pending again at once: write state=failed.")
        }
        let count = try await backend.redeliverFailed(receiver: try parameters.text("receiver"))
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("redelivered", count)
        writer.endObject()
        return .json(writer.bytes, status: 202)
    }
}
