package import Dispatch
import Glibc

/// Tells when something changes in a set of folders (inotify(7)).
///
/// It watches folders, not files: editors and deployments put a new file in the old one's place. What
/// changed is not told; the listener looks. Changes that follow one another are told once, 150 ms after the
/// last, and at the latest 500 ms after the first. Confined to its queue; ends with `close` or with the value.
package final class FolderWatcher {
    package enum Change: Hashable, Sendable {
        /// Something in the folders is new, gone or different.
        case inFolders
        /// Besides, a folder itself has gone or events were lost: resolve the paths again and call `watch`.
        case ofFolders
    }

    private static let quiet = 150_000_000 as UInt64
    private static let longest = 500_000_000 as UInt64
    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB
            | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

    private let descriptor: Int32
    private let readable: any DispatchSourceRead
    private let timer: any DispatchSourceTimer
    private let onChange: (Change) -> Void
    /// What is watched: the kernel's number, and the paths that lead to that folder.
    private var watched: [Int32: [String]] = [:]
    private var pending: Change?
    private var firstEvent: UInt64 = 0
    private var isClosed = false

    /// - Parameter onChange: Called on the queue.
    package init(
        queue: DispatchQueue, onChange: @escaping (Change) -> Void
    ) throws(SystemCallError) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw SystemCallError(call: "inotify_init1", errno: errno) }
        self.descriptor = descriptor
        self.onChange = onChange
        readable = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        timer = DispatchSource.makeTimerSource(queue: queue)
        readable.setEventHandler { [weak self] in self?.readEvents() }
        readable.setCancelHandler { Glibc.close(descriptor) }
        timer.setEventHandler { [weak self] in self?.report() }
        readable.activate()
        timer.activate()
    }

    deinit { close() }

    /// The folders that are watched now, in no order.
    package var folders: [String] { watched.values.flatMap { $0 } }

    /// Watches these folders and no others.
    ///
    /// To be called again after `.ofFolders`: a folder that was replaced by another of its name is watched anew.
    /// - Returns: Why folders are not watched, in the order given; the others are.
    @discardableResult
    package func watch(_ folders: [String]) -> [SystemCallError] {
        guard !isClosed else { return [] }
        var failures: [SystemCallError] = []
        var wanted: [Int32: [String]] = [:]
        for folder in folders {
            // A folder that is watched already gives the number that it has.
            let number = inotify_add_watch(descriptor, folder, FolderWatcher.mask)
            guard number >= 0 else {
                failures.append(SystemCallError(call: "inotify_add_watch \(folder)", errno: errno))
                continue
            }
            if wanted[number]?.contains(folder) != true {
                wanted[number, default: []].append(folder)
            }
        }
        for number in watched.keys where wanted[number] == nil {
            // Fails when the folder is gone, and its watch with it.
            inotify_rm_watch(descriptor, number)
        }
        watched = wanted
        return failures
    }

    /// Nothing is told after this.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        timer.cancel()
        readable.cancel()
    }

    // MARK: - Events

    private func readEvents() {
        guard !isClosed else { return }
        var change: Change?
        // Room for many events; more of them wake the queue again.
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            var offset = 0
            let header = MemoryLayout<inotify_event>.size
            while offset + header <= count {
                let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                if let meaning = meaning(of: event), change != .ofFolders { change = meaning }
                offset += header + Int(event.len)
            }
        }
        if let change { noted(change) }
    }

    private func meaning(of event: inotify_event) -> Change? {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return .ofFolders }
        // Left over from a folder that is not watched any more.
        guard watched[event.wd] != nil else { return nil }
        if event.mask & UInt32(IN_IGNORED) != 0 {
            watched[event.wd] = nil
            return .ofFolders
        }
        let own = UInt32(IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT)
        return event.mask & own != 0 ? .ofFolders : .inFolders
    }

    private func noted(_ change: Change) {
        let now = DispatchTime.now().uptimeNanoseconds
        if pending == nil { firstEvent = now }
        if pending != .ofFolders { pending = change }
        let due = min(now + FolderWatcher.quiet, firstEvent + FolderWatcher.longest)
        timer.schedule(deadline: DispatchTime(uptimeNanoseconds: due), leeway: .milliseconds(5))
    }

    private func report() {
        guard !isClosed, let change = pending else { return }
        pending = nil
        onChange(change)
    }
}
