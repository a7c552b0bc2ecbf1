#include "wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool sd_wakeup_open(int *fd, struct sd_error *error) {
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *fd >= 0 || sd_fail_busy(error, "no_descriptor", 1, "eventfd: %s", strerror(errno));
}

void sd_wakeup_set(int fd) {
    const uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0) {
        /* Only where it is full, and so is set. */
    }
}

bool sd_wakeup_clear(int fd) {
    uint64_t times;
    return read(fd, &times, sizeof times) > 0;
}

void sd_wakeup_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
