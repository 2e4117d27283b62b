// What Swift cannot call of the C library when programs are started: it is declared behind _GNU_SOURCE.
#pragma once
#include <sys/types.h>

// What is to be run.
struct runwatch_child {
    const char *path;
    // Arrays that end with a null pointer.
    char *const *arguments;
    char *const *environment;
    // The folder it starts in; NULL for ours.
    const char *folder;
    // What becomes its standard input, and its standard output and error; both above 2.
    int input, output;
    // Its soft limit of descriptors; 0 for ours.
    unsigned long descriptors;
};

// Starts a program with a session of its own, no other descriptors, and no signal ignored or blocked.
//
// As posix_spawn(3), which has nothing for limits: 0, or the error's number; the thread waits until the
// program is loaded.
int runwatch_spawn(const struct runwatch_child *child, pid_t *pid);

// pipe2(2) with O_CLOEXEC.
int runwatch_pipe(int ends[2]);

// pidfd_open(2), without flags.
int runwatch_pidfd_open(pid_t pid);
