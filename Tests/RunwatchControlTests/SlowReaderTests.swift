import Dispatch
import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import Synchronization
import Testing

@Suite struct SlowReaderTests {
    /// What a client that stood still at its first event has got when it stops.
    private struct Reading {
        var numbers: [Int] = []
        var breaks = 0
        var failure: ControlFailure?
    }

    /// Follows on a thread of its own, since it blocks.
    private func read(
        _ socket: String, upTo count: Int, standingStill: DispatchSemaphore
    ) async -> Reading {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "test.slow-reader").async {
                let client = ControlClient(socket: socket)
                var reading = Reading()
                var last: String?
                var end: ControlClient.StreamEnd?
                while end != .stopped, reading.breaks < 10 {
                    do throws(ControlFailure) {
                        end = try client.follow(
                            "/v1/events/stream?after=0", lastEventID: &last, deadline: nil,
                            onOpen: { () throws(ControlFailure) in true },
                            onMessage: { message throws(ControlFailure) in
                                guard let number = message.id.flatMap({ Int($0) }),
                                    !message.data.isEmpty
                                else { return true }
                                reading.numbers.append(number)
                                if reading.numbers.count == 1 { standingStill.wait() }
                                return reading.numbers.count < count
                            })
                    } catch {
                        reading.failure = error
                        break
                    }
                    if end != .stopped { reading.breaks += 1 }
                }
                continuation.resume(returning: reading)
            }
        }
    }

    @Test func `a reader that stands still is cut off, and resumes without loss`() async throws {
        let backend = FakeBackend()
        let count = 300
        // Some megabytes, far more than the kernel holds for a reader.
        for number in 1...count {
            let text = String(repeating: "x", count: 20_000)
            backend.commit(
                Array(#"{"type":"run.lost","data":{"n":\#(number),"text":"\#(text)"}}"#.utf8))
        }
        let live = try LiveControl(
            backend, limits: HTTPServerLimits(stallTimeout: .milliseconds(400)))
        let standingStill = DispatchSemaphore(value: 0)
        async let reading = read(live.socket, upTo: count, standingStill: standingStill)
        #expect(await eventually { backend.edit { $0.hub.followerCount } == 1 })
        #expect(await eventually { await live.requestsUnderWay == 0 })
        // Others are served, and what is followed live goes on.
        backend.commit()
        standingStill.signal()
        let result = await reading
        #expect(result.failure == nil)
        #expect(result.numbers == Array(1...count))
        #expect(result.breaks >= 1)
        await live.stop()
    }

    @Test func `what the server refuses by itself is a problem of ours`() throws {
        let refusals: [(HTTPServerRefusal, Problem.Code)] = [
            (.malformed("it has no Host header"), .malformedRequest), (.late, .requestTimeout),
            (.tooLarge(limit: 10), .contentTooLarge), (.tooManyConnections, .overloaded),
            (.targetTooLong(limit: 10), .targetTooLong), (.headTooLarge(limit: 10), .headTooLarge),
            (.tooMuchHeld, .overloaded), (.stopping, .unavailable),
        ]
        for (refusal, code) in refusals {
            let value = try JSONValue(parsing: ControlServer.document(for: refusal))
            let problem = try #require(Problem(json: value))
            #expect(problem.code == code)
            #expect(problem.code.status == refusal.status)
            #expect(problem.detail == refusal.detail)
        }
    }
}
