import Glibc

/// The folders that must be watched to see every change of what a path leads to.
///
/// They are, without repetition: the folder of each symbolic link on the way, wherever on the way it stands,
/// and last the folder that the file itself is in, with all links resolved. When something on the way does
/// not exist, the last is the deepest folder that does: there it will appear.
package func resolveLinkFolders(of path: String) -> [String] {
    var walk = LinkWalk(path)
    walk.run()
    return walk.folders
}

/// Goes along a path name by name, as the kernel does (path_resolution(7)).
private struct LinkWalk {
    /// The kernel gives up after as many links.
    private static let maximumLinks = 40

    var folders: [String] = []
    /// Names yet to go along, the next one last.
    private var names: [Substring]
    /// Where the walk is: names without links from the root.
    private var place: [Substring] = []
    private var links = 0

    init(_ path: String) {
        names = path.split(separator: "/").reversed()
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return }
        names += String(cString: folder).split(separator: "/").reversed()
        free(folder)
    }

    mutating func run() {
        while let name = names.popLast() {
            if name == "." { continue }
            if name == ".." {
                _ = place.popLast()
                continue
            }
            let here = text(place)
            place.append(name)
            if let target = LinkWalk.target(of: text(place)) {
                add(here)
                links += 1
                guard links <= LinkWalk.maximumLinks else { return }
                place.removeLast()
                if target.hasPrefix("/") { place = [] }
                names += target.split(separator: "/").reversed()
                continue
            }
            if names.isEmpty || access(text(place), F_OK) != 0 {
                return add(here)
            }
        }
        // The path is a folder that was reached by "..", or the root.
        add(text(place))
    }

    private mutating func add(_ folder: String) {
        if let index = folders.firstIndex(of: folder) { folders.remove(at: index) }
        folders.append(folder)
    }

    private func text(_ names: [Substring]) -> String { "/" + names.joined(separator: "/") }

    /// Where the link leads; `nil` when there is no link.
    private static func target(of path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let count = readlink(path, base, buffer.count)
            guard count > 0 else { return nil }
            return String(
                decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
        }
    }
}
