import Glibc
import RunwatchLinux
import Testing

@Suite struct ProcessFiguresTests {
    @Test func `the kernel's figures of this process are read`() throws {
        let figures = try #require(ProcessFigures.read())
        #expect(figures.cpuSeconds > 0)
        #expect(figures.residentBytes > 1 << 20)
        #expect(figures.virtualBytes >= figures.residentBytes)
        #expect(figures.threads >= 1)
        #expect(figures.openDescriptors >= 3)
        #expect(figures.maximumDescriptors >= figures.openDescriptors)
    }

    @Test func `descriptors are counted`() throws {
        let before = try #require(ProcessFigures.read()).openDescriptors
        // Other tests come and go at the same time, by tens.
        let opened = (0..<400).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        let after = try #require(ProcessFigures.read()).openDescriptors
        for descriptor in opened where descriptor >= 0 { close(descriptor) }
        #expect(after >= before + 200)
    }
}
