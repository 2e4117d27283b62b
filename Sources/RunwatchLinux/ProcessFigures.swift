import Glibc

/// What the kernel counts of this process (proc_pid_stat(5), clock_gettime(2), getrlimit(2)).
package struct ProcessFigures: Sendable, Equatable {
    /// Of all threads, in user and system mode together.
    package var cpuSeconds: Double
    package var virtualBytes: Int
    package var residentBytes: Int
    package var threads: Int
    package var openDescriptors: Int
    /// The soft limit.
    package var maximumDescriptors: Int

    /// Reads them all; `nil` where `/proc` is not to be had.
    ///
    /// The files of `/proc/self` are the kernel's own memory: nothing here waits for a disk.
    package static func read() -> ProcessFigures? {
        guard let descriptors = openDescriptors(), let bytes = statistics() else { return nil }
        // The program's name is in parentheses, and may hold anything, spaces and parentheses too.
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map {
            Int(String(decoding: $0, as: UTF8.self)) ?? 0
        }
        // The first of them is field 3 of the page.
        guard fields.count > 21 else { return nil }
        var limit = rlimit()
        // With unlimited descriptors the kernel has its own bound (fs.nr_open), which nobody reaches.
        _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessFigures(
            cpuSeconds: cpuSeconds(), virtualBytes: fields[20],
            residentBytes: fields[21] * sysconf(Int32(_SC_PAGESIZE)), threads: fields[17],
            openDescriptors: descriptors, maximumDescriptors: Int(clamping: limit.rlim_cur))
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func statistics() -> [UInt8]? {
        let descriptor = open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Not the folder itself and the one above it, nor the descriptor that reads it.
        return max(0, count - 3)
    }
}
