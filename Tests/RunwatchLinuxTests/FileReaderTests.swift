import Glibc
import RunwatchLinux
import TestSupport
import Testing

@Suite struct FileReaderTests {
    let folder = TemporaryFolder()

    @Test func `a file's bytes are read`() throws {
        let path = folder.write("file", "hällo\n")
        #expect(try FileReader.read(path, limit: 100) == Array("hällo\n".utf8))
        #expect(try FileReader.read(folder.write("empty", ""), limit: 0) == [])
    }

    @Test func `a large file is read in full`() throws {
        let text = String(repeating: "0123456789abcdef", count: 20_000)
        #expect(try FileReader.read(folder.write("large", text)) == Array(text.utf8))
    }

    @Test func `a file of no known size is read`() throws {
        #expect(try !FileReader.read("/proc/self/status", limit: 1 << 20).isEmpty)
        let failure = #expect(throws: SystemCallError.self) {
            try FileReader.read("/proc/self/status", limit: 10)
        }
        #expect(failure?.errno == EFBIG)
    }

    @Test func `a file of the limit is read and one byte more is not`() throws {
        let path = folder.write("file", "0123456789")
        #expect(try FileReader.read(path, limit: 10).count == 10)
        let failure = #expect(throws: SystemCallError.self) {
            try FileReader.read(path, limit: 9)
        }
        #expect(failure?.errno == EFBIG)
        #expect(failure?.description.contains(path) == true)
    }

    @Test func `what is not a file is refused at once`() {
        // Nobody writes to the pipe: an ordinary open would wait for ever.
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for (path, code) in [
            (pipe, EINVAL), ("/dev/zero", EINVAL), (folder.path, EISDIR),
            (folder.path("gone"), ENOENT),
        ] {
            let failure = #expect(throws: SystemCallError.self) {
                try FileReader.read(path, limit: 100)
            }
            #expect(failure?.errno == code)
        }
    }

    @Test func `a link leads to its file`() throws {
        folder.write("file", "x")
        #expect(symlink("file", folder.path("link")) == 0)
        #expect(try FileReader.read(folder.path("link")) == Array("x".utf8))
    }
}
