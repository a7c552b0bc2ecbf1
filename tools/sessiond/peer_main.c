/* The peer as a process of its own: its loop on the main thread, ended by a signal. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"
#include "peer.h"
#include "stream.h"

enum { HEARTBEAT_MS = 5000 };

static void signalled(struct sd_loop *loop, uint32_t events, void *of) {
    (void)events, (void)of;
    sd_loop_stop(loop);
}

static int watch_signals(struct sd_loop *loop, struct sd_error *error) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        sd_fail_busy(error, "no_descriptor", 1, "signalfd: %s", strerror(errno));
    else if (!sd_loop_watch(loop, fd, EPOLLIN, signalled, NULL, error)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool run(struct sd_loop *loop, const struct sd_config *config, struct sd_error *error) {
    int port = config->peer_port;
    int signals = watch_signals(loop, error);
    if (signals < 0)
        return false;
    struct sd_peer *peer =
        sd_peer_start(loop, config->peer_host, &port, config->peer_history, config->peer_delay_ms, error);
    bool told =
        peer != NULL && (config->port_file[0] == 0 || sd_stream_tell_port(config->port_file, port, error));
    if (told) {
        sd_log(SD_LOG_INFO, "peer at %s port %d", config->peer_host, port);
        sd_loop_run(loop);
    }
    if (peer != NULL)
        sd_peer_stop(peer);
    close(signals);
    return told;
}

int sd_peer_main(const struct sd_config *config) {
    struct sd_error error;
    struct sd_loop *loop = sd_loop_create("peer", HEARTBEAT_MS, &error);
    bool ran = loop != NULL && run(loop, config, &error);
    if (!ran)
        sd_log(SD_LOG_ERROR, "%s", error.text);
    if (loop != NULL)
        sd_loop_destroy(loop);
    return ran ? 0 : 1;
}
