import RunwatchCore
import Testing

@Suite struct SeededGeneratorTests {
    @Test func `the sequence is SplitMix64's`() {
        var generator = SeededGenerator(seed: 1_234_567)
        let numbers = (0..<3).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }

    @Test func `a seed gives the same sequence always, and another one another`() {
        var first = SeededGenerator(seed: 9)
        var second = SeededGenerator(seed: 9)
        var third = SeededGenerator(seed: 10)
        let numbers = (0..<100).map { _ in first.next() }
        #expect(numbers == (0..<100).map { _ in second.next() })
        #expect(numbers != (0..<100).map { _ in third.next() })
    }

    @Test func `units lie in their interval and spread over it`() {
        var generator = SeededGenerator(seed: 3)
        let units = (0..<10_000).map { _ in generator.unit() }
        #expect(units.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(units.reduce(0, +) / 10_000 - 0.5) < 0.02)
    }
}
