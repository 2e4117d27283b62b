import Dispatch
import RunwatchCore
import RunwatchHTTP
import Testing

typealias Outcome = Result<HTTPResponse, HTTPFailure>

/// A transport on a queue of its own, for tests that wait for answers.
///
/// Sendable by hand: the transport is touched on its queue alone.
final class CurlTransportFixture: @unchecked Sendable {
    let queue = DispatchQueue(label: "curl-transport-test")
    private let transport: CurlTransport

    init(options: HTTPConnectionOptions = HTTPConnectionOptions(), maximumConnections: Int = 64) {
        transport = CurlTransport(
            queue: queue, options: options, maximumConnections: maximumConnections)
    }

    deinit {
        nonisolated(unsafe) let transport = transport
        queue.async { transport.close() }
    }

    func send(_ request: HTTPRequest, options: HTTPConnectionOptions? = nil) async -> Outcome {
        await withCheckedContinuation { continuation in
            onTransport { transport in
                if let options {
                    transport.send(request, options: options) { continuation.resume(returning: $0) }
                } else {
                    transport.send(request) { continuation.resume(returning: $0) }
                }
            }
        }
    }

    func get(
        _ url: String, timeout: Duration = .seconds(20), maximumAnswer: Int = 8 << 20
    ) async -> Outcome {
        await send(
            HTTPRequest(method: .get, url: url, timeout: timeout, maximumAnswer: maximumAnswer))
    }

    /// All answers to `count` requests that are sent in one burst, in the order of sending.
    func burst(_ count: Int, _ request: @escaping @Sendable (Int) -> HTTPRequest) async -> [Outcome]
    {
        await withCheckedContinuation { continuation in
            onTransport { transport in
                var outcomes = [Outcome?](repeating: nil, count: count)
                var left = count
                for index in 0..<count {
                    transport.send(request(index)) { outcome in
                        outcomes[index] = outcome
                        left -= 1
                        if left == 0 {
                            continuation.resume(returning: outcomes.compactMap { $0 })
                        }
                    }
                }
            }
        }
    }

    var counters: CurlTransport.Counters {
        get async {
            await withCheckedContinuation { continuation in
                onTransport { continuation.resume(returning: $0.counters) }
            }
        }
    }

    func close() async {
        await withCheckedContinuation { continuation in
            onTransport { transport in
                transport.close()
                continuation.resume()
            }
        }
    }

    func onTransport(_ body: @escaping @Sendable (CurlTransport) -> Void) {
        queue.async { body(self.transport) }
    }
}

extension Outcome {
    var status: Int? { (try? get())?.status }
    var body: String? { (try? get()).map { String(decoding: $0.body, as: UTF8.self) } }
    var failure: HTTPFailure? {
        guard case .failure(let failure) = self else { return nil }
        return failure
    }
}

/// A whole answer with a length.
func answer(_ body: String, status: String = "200 OK", headers: String = "") -> String {
    "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// A mebibyte of zeros, compressed by gzip to a thousandth.
let bomb: [UInt8] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 49, 1, 0, 0, 0, 194, 160, 245, 79, 109, 8, 95, 160]
    + [UInt8](repeating: 0, count: 1016) + [62, 3, 28, 234, 56, 167, 0, 0, 16, 0]
