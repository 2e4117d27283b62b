import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import TestSupport
import Testing

@Suite struct DelivererReloadTests {
    typealias Bench = DelivererBench

    @Test func `a changed receiver goes to its new place at once`() async throws {
        let bench = try await Bench([Bench.webhook("ops", path: "old"), Bench.webhook("other")])
        bench.end.script { $0.url.hasSuffix("old") ? .status(500) : .status(200) }
        bench.submit("a/1", ["ops"])
        try await eventually("it fails") {
            await bench.deliverer.status().first?.isFailing ?? false
        }
        for index in 2..<50 { bench.submit("a/\(index)", ["ops"]) }
        await bench.deliverer.apply([Bench.webhook("ops", path: "new"), Bench.webhook("other")])
        try await eventually("the new place gets them") {
            Set(bench.end.seen.filter { $0.url.hasSuffix("new") }.map(\.subject)).count >= 33
        }
        await bench.stop()
    }

    @Test func `a removed receiver gets nothing more, and what it is owed stays`() async throws {
        let all = [Bench.webhook("ops"), Bench.webhook("other")]
        let bench = try await Bench(all)
        await bench.deliverer.apply([all[1]])
        bench.submit("a/1", ["ops"])
        try await bench.settle("other")
        #expect(!bench.end.seen.contains { $0.host == "ops" })
        #expect(await bench.deliverer.status().map(\.name) == ["other"])
        #expect(try await bench.owed("ops") == 1)
        try await eventually("its transport is closed") { bench.end.closed == 1 }
        await bench.deliverer.apply(all)
        try await eventually("it gets what is owed") { try await bench.owed("ops") == 0 }
        await bench.stop()
    }

    @Test func `what is under way at a removal ends, and is not sent twice after a return`()
        async throws
    {
        let all = [Bench.webhook("ops"), Bench.webhook("other")]
        let bench = try await Bench(all)
        bench.end.script { $0.host == "ops" ? .never : .status(200) }
        bench.submit("a/1", ["ops"])
        try await eventually("under way") { bench.end.seen.count == 1 }
        await bench.deliverer.apply([all[1]])
        #expect(bench.end.closed == 0)
        bench.end.script { _ in .status(200) }
        await bench.deliverer.apply(all)
        bench.submit("a/2", ["ops"])
        try await eventually("the next one arrives") {
            bench.end.seen.contains { $0.subject == "a/2" }
        }
        #expect(bench.end.seen.count { $0.subject == "a/1" } == 1)
        await bench.deliverer.drain(until: .init(nanoseconds: 0))
        await bench.store.close()
    }

    @Test(arguments: [410, 500])
    func `what the old place answers after a reload says nothing of the new one`(
        status: Int
    ) async throws {
        let bench = try await Bench(
            [Bench.webhook("ops", path: "old")], time: ManualTime())
        bench.end.script { $0.url.hasSuffix("old") ? .held : .status(200) }
        bench.submit("a/1", ["ops"])
        try await eventually("under way") { bench.end.seen.count == 1 }
        await bench.deliverer.apply([Bench.webhook("ops", path: "new")])
        bench.end.release(.status(status))
        try await eventually("it has ended") {
            await bench.deliverer.status().first?.inFlight == 0
        }
        #expect(await bench.deliverer.status().first?.isDisabled == false)
        #expect(await bench.deliverer.status().first?.isFailing == false)
        bench.submit("a/2", ["ops"])
        try await eventually("the new place gets the next one") {
            bench.end.seen.contains { $0.url.hasSuffix("new") && $0.subject == "a/2" }
        }
        await bench.stop()
    }

    @Test func `each webhook has connections of its own, with its own certificates`() async throws {
        var settings = WebhookSettings(url: Secret("https://ops.test/"))
        settings.peer.tls.caFile = "/etc/ca.pem"
        settings.peer.proxy = "http://proxy.test:3128"
        let bench = try await Bench([
            ReceiverSettings(name: "ops", kind: .webhook(settings)), Bench.webhook("other"),
        ])
        #expect(
            Set(bench.end.options) == [
                HTTPConnectionOptions(),
                .init(caFile: "/etc/ca.pem", proxy: "http://proxy.test:3128"),
            ])
        await bench.stop()
        #expect(bench.end.closed == 2)
    }
}
