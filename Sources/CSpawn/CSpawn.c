#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// The last descriptor that the program does not get: how it went is told there.
enum { status = STDERR_FILENO + 1 };

// Only what is safe between fork and exec: the memory may be the parent's (vfork(2)).
static int prepare(const struct runwatch_child *child) {
    struct sigaction usual = {.sa_handler = SIG_DFL};
    // Handlers first: one that ran here would run in the parent's memory.
    for (int number = 1; number < NSIG; number++) sigaction(number, &usual, NULL);
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) return errno;
    if (setsid() < 0) return errno;
    if (dup2(child->input, STDIN_FILENO) < 0) return errno;
    if (dup2(child->output, STDOUT_FILENO) < 0) return errno;
    if (dup2(child->output, STDERR_FILENO) < 0) return errno;
    if (child->folder && chdir(child->folder) != 0) return errno;
    if (child->descriptors > 0) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
        limit.rlim_cur = child->descriptors < limit.rlim_max ? child->descriptors : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
    }
    return 0;
}

static void become(const struct runwatch_child *child, int told) {
    int code = prepare(child);
    if (dup3(told, status, O_CLOEXEC) < 0) _exit(126);
    // Ours are closed by themselves; others' that are not, and that a library forgot, are here.
    closefrom(status + 1);
    if (code == 0) {
        execve(child->path, child->arguments, child->environment);
        code = errno;
    }
    // To a pipe that is empty it goes whole, or not at all when nobody reads any more.
    ssize_t written = write(status, &code, sizeof code);
    _exit(written == sizeof code ? 127 : 126);
}

int runwatch_spawn(const struct runwatch_child *child, pid_t *pid) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    // Out of the way of what the child puts on the descriptors up to `status`; and no standard descriptor
    // of ours, should one be closed: what others print there has nothing to do with this.
    int heard_on = fcntl(ends[0], F_DUPFD_CLOEXEC, status + 1);
    int told_on = heard_on < 0 ? -1 : fcntl(ends[1], F_DUPFD_CLOEXEC, status + 1);
    int failure = errno;
    close(ends[0]);
    close(ends[1]);
    if (told_on < 0) {
        if (heard_on >= 0) close(heard_on);
        return failure;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t made = vfork();
    if (made == 0) become(child, told_on);
    int code = made < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(told_on);
    if (made > 0) {
        int told = 0;
        ssize_t count;
        do count = read(heard_on, &told, sizeof told);
        while (count < 0 && errno == EINTR);
        if (count == sizeof told) {
            code = told;
            while (waitpid(made, NULL, 0) < 0 && errno == EINTR) {}
        } else {
            *pid = made;
        }
    }
    close(heard_on);
    return code;
}

int runwatch_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int runwatch_pidfd_open(pid_t pid) {
    return pidfd_open(pid, 0);
}
