#include "engine/deadlock.h"
#include "engine/lifecycle.h"

#include "engine/file_hold.h"
#include "engine/finding.h"
#include "engine/graph.h"
#include "engine/stuck.h"
#include "engine/wait_edge.h"
#include "engine/wait_for.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <sys/syscall.h>
#include <time.h>

/* A thread on the path, in the wait that was read. */
struct hop {
    struct lge_thread *thread;
    uint32_t sequence;
    uint32_t next; /* candidate to try next, where there are several holders */
    bool closes;   /* the thread we began with is one of them */
};

/* One search at a time. */
static struct {
    struct lgp_lock lock;
    struct hop *hops;
    size_t count, room;
    uint64_t searches; /* so far */
} path;

void lge_deadlock_reset(void) {
    lgp_free(path.hops, path.room * sizeof *path.hops);
    path.hops = NULL;
    path.count = path.room = 0;
}

/* The successor, verified: it was so while the thread waited. */
static struct lge_thread *verified_successor(const struct hop *hop) {
    struct lge_thread *next = lge_waits_for(hop->thread, hop->next);
    return lge_wait_unchanged(hop->thread, hop->sequence) ? next : NULL;
}

static bool push(struct lge_thread *thread) {
    if (path.count == path.room) {
        size_t room = path.room ? path.room * 2 : 32;
        struct hop *hops = lgp_resize(path.hops, path.room * sizeof *hops, room * sizeof *hops);
        if (hops == NULL)
            return false;
        path.hops = hops;
        path.room = room;
    }
    thread->searched = path.searches;
    path.hops[path.count++] = (struct hop){.thread = thread, .sequence = lge_wait_sequence(thread)};
    return lge_waiting(path.hops[path.count - 1].sequence);
}

/* On the path, or found to lead nowhere: with several holders to a lock a thread
 * would be looked at again on every way that leads to it. */
static bool seen(const struct lge_thread *thread) { return thread->searched == path.searches; }

static bool unchanged(const struct hop *hops, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!lge_wait_unchanged(hops[i].thread, hops[i].sequence))
            return false;
    return true;
}

/* Whoever was read to hold a lock may have given it up before its own wait, whose
 * sequence was read later.  Read again between two looks at the same sequences,
 * it holds the lock while it waits. */
static bool certain_ring(const struct hop *hops, size_t count) {
    if (!unchanged(hops, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!lge_waits_for_still(hops[i].thread, hops[(i + 1) % count].thread))
            return false;
    return unchanged(hops, count);
}

static bool waits_at_once(const struct lge_thread *thread) { return lge_wait_kind(thread) == LGR_WAIT_ONCE; }

/* Their stacks are known by now. */
static bool runners_are_inside(const struct hop *hops, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (waits_at_once(hops[i].thread) && !lge_inside_once(hops[(i + 1) % count].thread))
            return false;
    return true;
}

static bool ring_is_enough(const struct hop *hops, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!lge_stuck_by_ring(hops[i].thread))
            return false;
    return true;
}

/* Nobody outside the ring can end one of its waits. */
static bool nobody_helps(struct lge_thread *thread, const struct hop *hops, size_t count) {
    return ring_is_enough(hops, count) || lge_stuck(thread);
}

/* Looked at again for the first time a moment ago, or not at all. */
static bool waits_shortly(const struct lge_thread *thread) {
    const uint64_t shortly_ns = 20000000;
    uint64_t since = lge_wait_since(thread);
    return since == 0 || lgp_realtime_ns() - since < shortly_ns;
}

/* A reader that asks to write waits for itself.  If another one does so, too,
 * both are told of; where one may still come, it gets the time for it. */
static bool find_upgrade(struct lge_thread *thread) {
    struct lge_thread *other = lge_other_upgrader(thread);
    if (other != NULL && !push(other))
        return false;
    bool another_may_come = (thread->request.flags & LGE_OTHERS_HOLD) != 0 && waits_shortly(thread);
    return (other != NULL || !another_may_come) && certain_ring(path.hops, path.count);
}

/* Its own once routine asks for the same control. */
static bool waits_for_itself(const struct lge_thread *thread) {
    return waits_at_once(thread) && certain_ring(path.hops, path.count);
}

/* Depth first from `thread` back to itself; the path is left in `path`.  Where
 * all holders of a semaphore are stuck, as many as can be are on it. */
static bool find(struct lge_thread *thread) {
    path.count = 0;
    path.searches++;
    if (!push(thread))
        return false;
    while (path.count > 0) {
        struct hop *hop = &path.hops[path.count - 1];
        struct lge_thread *next = verified_successor(hop);
        hop->next++;
        if (next == thread && !lge_stuck_by_ring(hop->thread)) {
            hop->closes = true;
        } else if (next == thread && path.count == 1) {
            return waits_for_itself(thread) || find_upgrade(thread);
        } else if (next == thread || (next == NULL && hop->closes)) {
            return certain_ring(path.hops, path.count);
        } else if (next == NULL) {
            path.count--;
        } else if (!seen(next) && !push(next)) {
            path.count--; /* not waiting: a dead end */
        }
    }
    return false;
}

/* The usual case without any lock: the holder runs. */
static bool holder_runs(const struct lge_thread *thread) {
    const struct lge_wait *wait = &thread->wait;
    const int *owner = atomic_load_explicit(&wait->owner, memory_order_relaxed);
    uint32_t tid = owner == NULL ? 0 : lge_owner_id(__atomic_load_n(owner, __ATOMIC_RELAXED));
    bool joins = lgr_waits_for_thread(lge_wait_kind(thread));
    bool several = owner == NULL || atomic_load_explicit(&wait->shareable, memory_order_relaxed);
    if (!joins && several && tid == 0)
        return false;
    const struct lge_thread *next = joins ? lge_waits_for(thread, 0) : lge_owner_thread(thread, tid);
    return next == NULL || !lge_waiting(lge_wait_sequence(next));
}

uint32_t lge_deadlock_owner(const struct lge_thread *thread) {
    bool single;
    const struct lge_thread *next = lge_waits_for_owner(thread, &single);
    if (next == NULL && !single)
        next = lge_waits_for(thread, 0);
    if (next != NULL)
        return lge_thread_serial(next);
    /* Of a lock of a file the holder is known even while it runs. */
    return lge_file_holder(lge_wait_target(thread), lge_thread_serial(thread));
}

/* ---- the report ---- */

/* Where a time limit ends it, the one that looks may have little of it left, and
 * is not in its lock's queue meanwhile. */
static uint64_t patience(const struct hop *hops, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (atomic_load_explicit(&hops[i].thread->wait.timed, memory_order_relaxed))
            return 20000000;
    return 300000000;
}

/* The others record their own stacks at the end of their first slice. */
static bool wait_for_stacks(const struct hop *hops, size_t count) {
    for (uint64_t end = lgp_monotonic_ns() + patience(hops, count); lgp_monotonic_ns() < end;) {
        size_t stacked = 0;
        while (stacked < count &&
               atomic_load_explicit(&hops[stacked].thread->wait.stacked, memory_order_acquire))
            stacked++;
        if (stacked == count)
            break;
        struct timespec millisecond = {.tv_nsec = 1000000};
        lgp_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&millisecond, 0, 0, 0);
        if (!unchanged(hops, count))
            return false;
    }
    return unchanged(hops, count);
}

/* What the thread before this one wants of it: a lock, or nothing (0) when that
 * one joins, or is at a barrier or a once control. */
static void describe_hold(struct lge_finding_edge *edge, const struct lge_thread *before) {
    if (lge_waits_for_lock(before))
        lge_edge_wanted(edge, lge_wait_target(before));
}

/* The ring as it is told.  A writer that readers queue behind holds nothing that
 * is wanted of it: the edge before it and the one after it are told as one, of
 * the reader that waits and the reader that is waited for. */
struct ring {
    struct lge_finding_edge *edges;
    size_t count;
    uint32_t queue; /* serial of the first writer left out; 0: none */
    bool timed;
};

static const struct hop *hop_before(const struct hop *hops, size_t count, size_t i) {
    return &hops[(i + count - 1) % count];
}

static bool describe_hop(struct ring *ring, const struct hop *hops, size_t count, size_t i) {
    struct lge_finding_edge *edge = &ring->edges[ring->count++];
    lge_edge_of_wait(edge, hops[i].thread);
    if (!lge_edge_copy_held(edge, hops[i].thread))
        return false;
    describe_hold(edge, hop_before(hops, count, i)->thread);
    return true;
}

static bool describe(struct ring *ring, const struct hop *hops, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct lge_thread *thread = hops[i].thread;
        if (atomic_load_explicit(&thread->wait.timed, memory_order_relaxed))
            ring->timed = true;
        if (!lge_queues_behind(hop_before(hops, count, i)->thread, thread)) {
            if (!describe_hop(ring, hops, count, i))
                return false;
        } else if (ring->queue == 0) {
            ring->queue = lge_thread_serial(thread);
        }
    }
    return true;
}

/* Under the graph lock: somebody else on the ring may have been first.  A reader
 * that asks to write was told of alone, before there was a second one. */
static bool already_reported(const struct hop *hops, size_t count) {
    bool before = count == 2 && lge_other_upgrader(hops[0].thread) != NULL;
    bool reported = false;
    for (size_t i = 0; i < count; i++)
        if (atomic_exchange_explicit(&hops[i].thread->wait.reported, 1, memory_order_relaxed))
            reported = reported || i == 0 || !before;
    return reported;
}

static void obtain_records(const struct hop *hops, size_t count) {
    lge_table_lock();
    lge_threads_lock();
    for (size_t i = 0; i < count; i++)
        lge_edge_obtain_records(hops[i].thread);
    lge_threads_unlock();
    lge_table_unlock();
}

static void take_back(const struct hop *hops, size_t count) {
    for (size_t i = 0; i < count; i++)
        atomic_store_explicit(&hops[i].thread->wait.reported, 0, memory_order_relaxed);
}

/* False: a semaphore was found to signal meanwhile, and nobody is stuck. */
static bool report(const struct hop *hops, size_t count) {
    bool stuck = true;
    struct ring ring = {.edges = lgp_alloc(count * sizeof *ring.edges)};
    if (ring.edges == NULL)
        return stuck;
    lge_graph_lock();
    if (describe(&ring, hops, count) && unchanged(hops, count) && !already_reported(hops, count)) {
        obtain_records(hops, count);
        stuck = lge_report_deadlock(ring.edges, ring.count, ring.timed, ring.queue);
        if (!stuck)
            take_back(hops, count);
    }
    lge_graph_unlock();
    lge_edges_free(ring.edges, count);
    return stuck;
}

static struct hop *copy_path(size_t *count) {
    struct hop *hops = lgp_alloc(path.count * sizeof *hops);
    if (hops == NULL)
        return NULL;
    for (size_t i = 0; i < path.count; i++)
        hops[i] = path.hops[i];
    *count = path.count;
    return hops;
}

enum search {
    FIRST, /* this wait has just begun: it may be what closes a ring */
    AGAIN, /* whoever searches now may find what there is, else there is a next time */
    OTHER  /* of another thread's wait, whose stacks are recorded */
};

/* A ring is found from its own threads only: nobody is put off for ever. */
static bool begin_search(struct lge_thread *thread, enum search search) {
    enum { PUT_OFF = 4 };
    if (search == AGAIN && thread->put_off < PUT_OFF) {
        bool begun = lgp_try_lock(&path.lock);
        thread->put_off = begun ? 0 : thread->put_off + 1;
        return begun;
    }
    lgp_lock(&path.lock);
    if (search != OTHER)
        thread->put_off = 0;
    return true;
}

static bool look(struct lge_thread *thread, enum search search) {
    size_t count = 0;
    if (!begin_search(thread, search))
        return false;
    struct hop *hops = find(thread) ? copy_path(&count) : NULL;
    lgp_unlock(&path.lock);
    if (hops == NULL)
        return false;
    bool certain = nobody_helps(thread, hops, count);
    if (certain) {
        if (search != OTHER)
            lge_wait_stack(thread);
        certain = wait_for_stacks(hops, count) && runners_are_inside(hops, count) &&
                  certain_ring(hops, count) && nobody_helps(thread, hops, count);
    }
    certain = certain && report(hops, count);
    lgp_free(hops, count * sizeof *hops);
    return certain;
}

static bool look_unless_told(struct lge_thread *thread, enum search search) {
    if (atomic_load_explicit(&thread->wait.reported, memory_order_relaxed))
        return true;
    return !holder_runs(thread) && look(thread, search);
}

bool lge_deadlock_look(struct lge_thread *thread) { return look_unless_told(thread, FIRST); }

bool lge_deadlock_look_again(struct lge_thread *thread) { return look_unless_told(thread, AGAIN); }

bool lge_deadlock_look_for(struct lge_thread *other) { return look(other, OTHER); }

struct lgp_part lge_deadlock_part(void) {
    return (struct lgp_part){&path.lock, (void *)&path, sizeof path};
}
