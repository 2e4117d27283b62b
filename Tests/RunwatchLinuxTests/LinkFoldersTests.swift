import Glibc
import RunwatchLinux
import TestSupport
import Testing

@Suite struct LinkFoldersTests {
    let folder = TemporaryFolder()

    private func link(_ name: String, to target: String) {
        #expect(symlink(target, folder.path(name)) == 0)
    }

    private func makeFolder(_ name: String) {
        #expect(mkdir(folder.path(name), 0o755) == 0)
    }

    private func resolve(_ name: String) -> [String] {
        // The temporary folder itself may be reached through links.
        resolveLinkFolders(of: folder.path(name)).filter { $0.hasPrefix(folder.path) }
    }

    @Test func `a plain file has its own folder`() {
        folder.write("a", "")
        #expect(resolve("a") == [folder.path])
    }

    @Test func `a file that is not there yet has its own folder`() {
        #expect(resolve("a") == [folder.path])
    }

    @Test func `a folder that is not there yet has the deepest that is`() {
        #expect(resolve("x/y/z") == [folder.path])
    }

    @Test func `a chain of links has the folder of each`() {
        for name in ["one", "two", "three"] { makeFolder(name) }
        folder.write("three/file", "")
        link("two/link", to: "../three/file")
        link("one/link", to: folder.path("two/link"))
        #expect(
            resolve("one/link")
                == [folder.path("one"), folder.path("two"), folder.path("three")])
    }

    @Test func `a swapped folder, as deployments make it, has both folders`() {
        makeFolder("..2026")
        folder.write("..2026/watches.yaml", "")
        link("..data", to: "..2026")
        link("watches.yaml", to: "..data/watches.yaml")
        #expect(resolve("watches.yaml") == [folder.path, folder.path("..2026")])
    }

    @Test func `a broken link has its own folder and the place of its target`() {
        makeFolder("there")
        link("link", to: "there/gone")
        #expect(resolve("link") == [folder.path, folder.path("there")])
    }

    @Test func `links in a circle end`() {
        link("a", to: "b")
        link("b", to: "a")
        #expect(resolve("a") == [folder.path])
    }

    @Test func `dots are followed as the kernel does`() {
        makeFolder("real")
        makeFolder("real/inner")
        folder.write("real/file", "")
        link("link", to: "real/inner")
        // By name ".." would lead back to the temporary folder.
        #expect(resolve("link/../././/file") == [folder.path, folder.path("real")])
    }

    @Test func `the root and a relative path are understood`() {
        #expect(resolveLinkFolders(of: "/") == ["/"])
        #expect(resolveLinkFolders(of: "/../..") == ["/"])
        let here = resolveLinkFolders(of: "no-such-file")
        #expect(here.last?.hasPrefix("/") == true)
        #expect(here == resolveLinkFolders(of: "./no-such-file"))
    }
}
