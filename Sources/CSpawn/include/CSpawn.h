// What Swift cannot call of the C library when programs are started: it is declared behind _GNU_SOURCE.
#pragma once
#include <spawn.h>
#include <sys/types.h>

// A new session for the program, for posix_spawnattr_setflags: POSIX_SPAWN_SETSID.
extern const short runwatch_spawn_new_session;

// posix_spawn_file_actions_addclosefrom_np(3): every descriptor from `first` on is closed.
int runwatch_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

// posix_spawn_file_actions_addchdir_np(3).
int runwatch_spawn_change_folder(posix_spawn_file_actions_t *actions, const char *path);

// pipe2(2) with O_CLOEXEC.
int runwatch_pipe(int ends[2]);

// pidfd_open(2), without flags.
int runwatch_pidfd_open(pid_t pid);
