#include "run_heartbeats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "pool.h"
#include "process_alive.h"

static bool read_at(int file, void *to, size_t size, uint64_t offset) {
    return pread(file, to, size, (off_t)offset) == (ssize_t)size;
}

static void note_cell(struct heartbeats *heartbeats, uint64_t offset) {
    heartbeats->offsets =
        checked_resize(heartbeats->offsets, heartbeats->count + 1, sizeof *heartbeats->offsets);
    heartbeats->offsets[heartbeats->count++] = offset;
}

/* What was committed since the last time.  Only a file that says that it has heartbeats
 * is walked through. */
static void find_cells(struct heartbeats *heartbeats, int file, const struct lgr_header *header) {
    struct lgr_record record;
    uint32_t cells = atomic_load_explicit(&header->heartbeats, memory_order_relaxed);
    if (heartbeats->looked_to == 0)
        heartbeats->looked_to = header->header_size;
    while (heartbeats->count < cells && read_at(file, &record, sizeof record, heartbeats->looked_to)) {
        if (record.size < sizeof record || record.size % LGR_ALIGN != 0)
            return;
        if (record.type == LGR_HEARTBEAT && record.size >= sizeof(struct lgr_heartbeat))
            note_cell(heartbeats, heartbeats->looked_to);
        heartbeats->looked_to += record.size;
    }
}

static bool is_missing(const struct lgr_heartbeat *cell, uint64_t now) {
    uint64_t last = atomic_load_explicit(&cell->last_ns, memory_order_relaxed);
    uint64_t limit = atomic_load_explicit(&cell->limit_ns, memory_order_relaxed);
    return atomic_load_explicit(&cell->serial, memory_order_relaxed) != 0 && last != 0 && now > last &&
           now - last > limit && atomic_load_explicit(&cell->missed, memory_order_relaxed) == LGR_NOT_MISSED;
}

/* Its thread may give one in this moment: then the mark is gone with the next. */
static bool mark_seen(int file, uint64_t offset) {
    const uint32_t seen = LGR_MISSED_SEEN;
    return pwrite(file, &seen, sizeof seen, (off_t)(offset + offsetof(struct lgr_heartbeat, missed))) ==
           (ssize_t)sizeof seen;
}

static bool look(struct heartbeats *heartbeats, const char *path, int file, const struct lgr_header *header) {
    struct lgr_heartbeat cell;
    bool found = false;
    find_cells(heartbeats, file, header);
    for (size_t i = 0; i < heartbeats->count; i++)
        if (read_at(file, &cell, sizeof cell, heartbeats->offsets[i]) &&
            is_missing(&cell, clock_now_ns(CLOCK_MONOTONIC)) &&
            process_alive(header->pid, header->start_realtime_ns, path))
            found = mark_seen(file, heartbeats->offsets[i]) || found;
    return found;
}

bool heartbeats_look(struct heartbeats *heartbeats, const char *path, const struct lgr_header *header) {
    if (atomic_load_explicit(&header->heartbeats, memory_order_relaxed) == 0)
        return false;
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return false;
    bool found = look(heartbeats, path, file, header);
    close(file);
    return found;
}

void heartbeats_free(struct heartbeats *heartbeats) { free(heartbeats->offsets); }
