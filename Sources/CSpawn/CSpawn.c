#include "CSpawn.h"

#include <fcntl.h>
#include <sys/pidfd.h>
#include <unistd.h>

const short runwatch_spawn_new_session = POSIX_SPAWN_SETSID;

int runwatch_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int runwatch_spawn_change_folder(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int runwatch_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int runwatch_pidfd_open(pid_t pid) {
    return pidfd_open(pid, 0);
}
