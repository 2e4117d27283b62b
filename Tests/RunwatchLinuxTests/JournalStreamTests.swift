import Glibc
import TestSupport
import Testing

@testable import RunwatchLinux

@Suite struct JournalStreamTests {
    @Test func `the descriptor must be the very stream that is named`() {
        let folder = TemporaryFolder()
        let file = open(folder.write("a", ""), O_RDONLY)
        let other = open(folder.write("b", ""), O_RDONLY)
        defer { close(file); close(other) }
        var status = stat()
        #expect(fstat(file, &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(JournalStream.isConnected(descriptor: file, stream: stream))
        #expect(!JournalStream.isConnected(descriptor: other, stream: stream))
        #expect(!JournalStream.isConnected(descriptor: -1, stream: stream))
        for bad in [nil, "", ":", "1", "x:y", stream + ":1", "-1:-1"] {
            #expect(!JournalStream.isConnected(descriptor: file, stream: bad))
        }
    }
}
