#include "run_status.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "record/format.h"

static struct lgr_header *map_header(const char *path) {
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    if (descriptor < 0)
        return NULL;
    bool whole = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                 status.st_size >= (off_t)sizeof(struct lgr_header);
    void *header = MAP_FAILED;
    if (whole)
        header = mmap(NULL, sizeof(struct lgr_header), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    return header == MAP_FAILED ? NULL : header;
}

static bool is_image_of(const struct lgr_header *header, pid_t pid) {
    return memcmp(header->magic, LGR_MAGIC, sizeof header->magic) == 0 && header->version == LGR_VERSION &&
           header->pid == (uint32_t)pid;
}

static void finish(struct lgr_header *header, int status) {
    if (atomic_load(&header->end_realtime_ns) == 0)
        atomic_store(&header->end_realtime_ns, clock_now_ns(CLOCK_REALTIME));
    atomic_store(&header->exit_status, status);
    atomic_store(&header->ended, LGR_EXITED);
}

/* Of the images under one process id, which exec replaces, the last one ended. */
void record_status(const struct path_list *files, pid_t pid, int status) {
    struct lgr_header *last = NULL;
    for (size_t i = 0; i < files->count; i++) {
        struct lgr_header *header = map_header(files->paths[i]), *unused = header;
        if (header && is_image_of(header, pid) &&
            (!last || header->start_realtime_ns >= last->start_realtime_ns)) {
            unused = last;
            last = header;
        }
        if (unused)
            munmap(unused, sizeof *unused);
    }
    if (!last)
        return;
    finish(last, status);
    munmap(last, sizeof *last);
}
