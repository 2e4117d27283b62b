// What Swift cannot import by itself: calls of microhttpd.h with a variable number of arguments, and
// epoll(7), which is in no module of Swift's.
#pragma once
#include <errno.h>
#include <linux/sockios.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

/// Told of each connection's begin (`has_ended` 0) and end, with the place of its context.
typedef void (*runwatch_mhd_connection_callback)(
    void *, struct MHD_Connection *, void **context, int has_ended);

/// What the callbacks of a daemon are called with; kept by the caller for as long as the daemon.
struct runwatch_mhd_callbacks {
    void *context;
    runwatch_mhd_connection_callback connection;
    MHD_AccessHandlerCallback handler;
    void *(*begun)(void *, const char *, struct MHD_Connection *);
    MHD_RequestCompletedCallback completed;
    size_t (*unescape)(void *, struct MHD_Connection *, char *);
};

static inline void runwatch_mhd_notify(
    void *callbacks, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code) {
    const struct runwatch_mhd_callbacks *all = (const struct runwatch_mhd_callbacks *)callbacks;
    all->connection(all->context, connection, context, code == MHD_CONNECTION_NOTIFY_CLOSED);
}

/// Starts a daemon without threads and without timeouts on a listening socket of the caller's.
///
/// Requests are not judged strictly: the library would close where we can say what is wrong.
static inline struct MHD_Daemon *runwatch_mhd_start(
    int listening, unsigned int connections, size_t memory,
    const struct runwatch_mhd_callbacks *all) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, all->handler, all->context,
        MHD_OPTION_LISTEN_SOCKET, listening,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_NOTIFY_CONNECTION, runwatch_mhd_notify, (void *)all,
        MHD_OPTION_URI_LOG_CALLBACK, all->begun, all->context,
        MHD_OPTION_NOTIFY_COMPLETED, all->completed, all->context,
        MHD_OPTION_UNESCAPE_CALLBACK, all->unescape, all->context,
        MHD_OPTION_STRICT_FOR_CLIENT, 0,
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

/// What the connection callback has set as a connection's context.
static inline void *runwatch_mhd_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/// Bytes sent that the peer has not taken: SIOCOUTQ, unix(7) and tcp(7); -1 when it cannot be told.
static inline int runwatch_untaken(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
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
