import RunwatchCore
package import RunwatchHTTP

// Figures and health, at the socket and over TCP.
extension ControlServer {
    func metrics(_ request: HTTPServerRequest) async -> HTTPServerResponse {
        let accept = request.headers.filter { $0.name.lowercased() == "accept" }.map(\.value)
        let format = MetricsFormat(accept: accept)
        return HTTPServerResponse(
            status: 200,
            headers: [("content-type", format.contentType), ("vary", "accept")],
            body: .bytes(format.text(of: await backend.metrics())))
    }

    /// Answers a request over TCP, where nothing can be changed and little can be seen.
    ///
    /// Whoever connects may read what is here, so there is nothing here but figures and health. No header
    /// lets a page of another origin read them in someone's browser.
    /// - Parameter isLoopback: Only this machine can connect; then a page whose own name leads here
    ///   (`LocalHost`) is refused.
    @concurrent
    package func respondOverTCP(
        to request: HTTPServerRequest, isLoopback: Bool = false
    ) async -> HTTPServerResponse {
        var response: HTTPServerResponse
        do throws(Problem) {
            if isLoopback, let host = request.header("host"), !LocalHost.isOurs(host) {
                throw Problem(
                    .permissionDenied,
                    "This listener is for this machine only, and '\(host)' may be another's name; "
                        + "ask by address, or as 'localhost'.")
            }
            response = try await figures(request)
        } catch {
            response = ControlServer.response(to: error)
        }
        meter.add(ControlServer.routeOverTCP(request), status: response.status)
        response.headers += [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
        return response
    }

    private func figures(_ request: HTTPServerRequest) async throws(Problem) -> HTTPServerResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            throw Problem(
                .permissionDenied,
                "This listener is for reading only, whoever asks; use the control socket to change "
                    + "things.")
        }
        guard let route = ControlServer.routeOverTCP(request) else {
            throw Problem(
                .noSuchRoute,
                "Only /metrics, /healthz and /readyz are served here; the rest of the API is at the "
                    + "control socket.")
        }
        let parameters = try ControlParameters(of: request, known: route.parameters("GET"))
        return try await read(route, parameters, request)
    }

    private static func routeOverTCP(_ request: HTTPServerRequest) -> ControlRoute? {
        guard let route = request.pathParts.flatMap({ ControlRoute(parts: $0) }) else { return nil }
        switch route {
        case .metrics, .health, .readiness: return route
        default: return nil
        }
    }
}
