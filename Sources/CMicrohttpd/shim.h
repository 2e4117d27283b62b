// What Swift cannot import by itself: calls of microhttpd.h with a variable number of arguments, and
// epoll(7), which is in no module of Swift's.
#pragma once
#include <errno.h>
#include <microhttpd.h>
#include <sys/epoll.h>

/// Starts a daemon without threads on a listening socket of the caller's.
///
/// `context` goes to every callback. `idle_seconds` 0 means that idle connections are kept.
static inline struct MHD_Daemon *runwatch_mhd_start(
    int listening, unsigned int connections, size_t memory, unsigned int idle_seconds,
    MHD_AccessHandlerCallback handler, void *(*begun)(void *, const char *, struct MHD_Connection *),
    MHD_RequestCompletedCallback completed,
    size_t (*unescape)(void *, struct MHD_Connection *, char *), void *context) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handler, context,
        MHD_OPTION_LISTEN_SOCKET, listening,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
        MHD_OPTION_URI_LOG_CALLBACK, begun, context,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, context,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
}

/// The descriptor that is readable whenever the daemon has something to do; -1 when there is none.
static inline int runwatch_mhd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

/// How many connections are open.
static inline unsigned int runwatch_mhd_connections(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

/// The socket of a connection; -1 when there is none.
static inline int runwatch_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/// Turns the idle timeout of one connection off.
static inline void runwatch_mhd_never_time_out(struct MHD_Connection *connection) {
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
}

// Constants of enumerations that Swift imports without the names.
static const enum MHD_Result runwatch_mhd_yes = MHD_YES;
static const enum MHD_Result runwatch_mhd_no = MHD_NO;
static const enum MHD_ValueKind runwatch_mhd_headers = MHD_HEADER_KIND;
static const enum MHD_ResponseMemoryMode runwatch_mhd_copy = MHD_RESPMEM_MUST_COPY;

static inline int runwatch_epoll_make(void) { return epoll_create1(EPOLL_CLOEXEC); }

/// Adds a descriptor that is reported for as long as it is readable.
static inline int runwatch_epoll_add_readable(int set, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event);
}

/// Adds a socket that is reported once, when its peer has closed it or, if wanted, half of it.
static inline int runwatch_epoll_add_closing(int set, int socket, int half_closed) {
    unsigned int events = EPOLLONESHOT | (half_closed ? EPOLLRDHUP : 0);
    struct epoll_event event = {.events = events, .data = {.fd = socket}};
    int result = epoll_ctl(set, EPOLL_CTL_ADD, socket, &event);
    if (result != 0 && errno == EEXIST) result = epoll_ctl(set, EPOLL_CTL_MOD, socket, &event);
    return result;
}

static inline void runwatch_epoll_remove(int set, int descriptor) {
    struct epoll_event event = {0};
    epoll_ctl(set, EPOLL_CTL_DEL, descriptor, &event);
}

/// Gives the descriptors that have something to report, without waiting; -1 on an error.
static inline int runwatch_epoll_reported(int set, int *descriptors, int most) {
    struct epoll_event events[128];
    int count = epoll_wait(set, events, most < 128 ? most : 128, 0);
    for (int index = 0; index < count; index++) descriptors[index] = events[index].data.fd;
    return count;
}
