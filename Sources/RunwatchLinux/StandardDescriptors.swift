import Glibc

/// Standard input, standard output and standard error of a program that may be started without them.
package enum StandardDescriptors {
    /// Gives each one that is closed (`>&-`) to the null device, opened the wrong way round.
    ///
    /// Otherwise the next file or socket that the program opens takes the number, and what was meant for
    /// people goes there. The wrong way round, use still fails with `EBADF`. Before anything is opened.
    package static func fill() {
        for (descriptor, flags) in [
            (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
        ] where fcntl(descriptor, F_GETFD) == -1 {
            // open(2) gives the lowest number that is free: this one. Without a null device it stays closed.
            _ = open("/dev/null", flags)
        }
    }
}
