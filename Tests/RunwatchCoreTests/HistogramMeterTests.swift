import RunwatchCore
import Testing

@Suite struct HistogramMeterTests {
    @Test func `a value falls into the first bucket that is not below it`() {
        var meter = HistogramMeter(bounds: [1, 2, 5])
        for value in [0, 1, 1.5, 2, 4.9, 5, 5.1, 1e9] { meter.add(value) }
        #expect(meter.counts == [2, 2, 2, 2])
        #expect(meter.count == 8)
        #expect(meter.sum == 0 + 1 + 1.5 + 2 + 4.9 + 5 + 5.1 + 1e9)
    }

    @Test func `what is below zero never makes the sum fall`() {
        var meter = HistogramMeter()
        meter.add(Duration.milliseconds(250))
        meter.add(Duration.seconds(-5))
        #expect(meter.sum == 0.25)
        #expect(meter.counts[0] == 1)
        #expect(meter.count == 2)
    }

    @Test func `the bounds grow`() {
        let bounds = HistogramMeter.secondsBounds
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `lateness is counted, and the latest is known`() {
        var meter = LatenessMeter()
        meter.add(.seconds(3))
        meter.add(.milliseconds(-20))
        #expect(meter.latest == .zero)
        #expect(meter.histogram.count == 2)
        #expect(meter.histogram.sum == 3)
    }
}
