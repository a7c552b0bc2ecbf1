#include "snapshot_waits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot_stacks.h"
#include "stacks.h"

const char *snapshot_thread_label(const struct snapshot *snapshot, size_t index) {
    const struct snapshot_thread *thread = &snapshot->threads[index];
    bool is_main = thread->tid == (uint32_t)snapshot->pid;
    const char *name = is_main ? "main" : thread->name[0] ? thread->name : "thread";
    return pool_printf(snapshot->pool, "T%zu (%s, %u)", index + 1, name, thread->tid);
}

const char *wait_object_name(enum wait_object object) {
    static const char *const names[] = {"none",   "mutex",   "rwlock", "semaphore", "condition",
                                        "thread", "barrier", "once",   "futex"};
    return names[object];
}

/* ---- the function that waits ---- */

static const struct {
    const char *name; /* how it begins, without leading underscores */
    enum wait_object object;
    bool shared;
} functions[] = {
    {"pthread_mutex_", WAITS_MUTEX, false},
    {"mtx_", WAITS_MUTEX, false},
    {"pthread_rwlock_rd", WAITS_RWLOCK, true},
    {"pthread_rwlock_timedrd", WAITS_RWLOCK, true},
    {"pthread_rwlock_clockrd", WAITS_RWLOCK, true},
    {"pthread_rwlock_", WAITS_RWLOCK, false},
    {"sem_", WAITS_SEMAPHORE, false},
    {"new_sem_", WAITS_SEMAPHORE, false},
    {"pthread_cond_", WAITS_CONDITION, false},
    {"cnd_", WAITS_CONDITION, false},
    {"pthread_join", WAITS_THREAD, false},
    {"pthread_timedjoin", WAITS_THREAD, false},
    {"pthread_clockjoin", WAITS_THREAD, false},
    {"thrd_join", WAITS_THREAD, false},
    {"pthread_barrier_", WAITS_BARRIER, false},
    {"pthread_once", WAITS_ONCE, false},
    {"cxa_guard_acquire", WAITS_ONCE, false},
    /* Of the runtime, where libc has no names for its own functions. */
    {"lgi_mutex_", WAITS_MUTEX, false},
    {"lgi_rwlock_", WAITS_RWLOCK, false},
    {"lgi_sem_", WAITS_SEMAPHORE, false},
    {"call_once", WAITS_ONCE, false},
};

static bool begins(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

/* The innermost one, not far from the system call. */
static void ask_function(const struct stack *stack, struct snapshot_wait *wait) {
    enum { NEAR = 8 };
    for (size_t i = 0; i < stack->count && i < NEAR; i++) {
        const char *name = stack->frames[i].name;
        if (!name)
            continue;
        name += strspn(name, "_");
        for (size_t j = 0; j < sizeof functions / sizeof *functions; j++)
            if (begins(name, functions[j].name)) {
                wait->object = functions[j].object;
                wait->shared = functions[j].shared;
                return;
            }
    }
}

/* Under the runtime a wait is one for a limited time after another: the program's own
 * call says whether it is limited. */
static void ask_runtime(const struct stack *stack, struct snapshot_wait *wait) {
    const char *called = NULL;
    for (size_t i = 0; i < stack->first; i++)
        if (frame_is_ours(&stack->frames[i]) && stack->frames[i].name)
            called = stack->frames[i].name;
    if (called)
        wait->limited = strstr(called, "timed") || strstr(called, "clock") || begins(called, "lg_");
}

/* ---- the object ---- */

/* SIZE_MAX: none of this process. */
static size_t thread_index(const struct snapshot *snapshot, uint32_t tid) {
    for (size_t i = 0; tid != 0 && i < snapshot->thread_count; i++)
        if (snapshot->threads[i].inner_tid == tid)
            return i;
    return SIZE_MAX;
}

/* lll_lock waits with FUTEX_WAIT for a 2; what waits at conditions, semaphores and
 * the end of a thread says FUTEX_WAIT_BITSET. */
static bool like_a_mutex(const struct futex_wait *futex) {
    return futex->operation == FUTEX_LOCK_PI || futex->operation == FUTEX_LOCK_PI2 ||
           (futex->operation == FUTEX_WAIT && (futex->value & ~(uint32_t)FUTEX_WAITERS) == 2);
}

static uint32_t word_at(const struct snapshot *snapshot, uint64_t address) {
    uint32_t word = 0;
    snapshot_read(snapshot, address, &word, sizeof word);
    return word;
}

static void look_at_mutex(const struct snapshot *snapshot, struct snapshot_wait *wait) {
    pthread_mutex_t mutex;
    enum { INHERITS = 32 };
    if (!snapshot_read(snapshot, wait->address, &mutex, sizeof mutex))
        return;
    wait->owner = mutex.__data.__kind & INHERITS ? (uint32_t)mutex.__data.__lock & FUTEX_TID_MASK
                                                 : (uint32_t)mutex.__data.__owner;
}

/* A reader waits at the one word, a writer at either; both lie in the second eight
 * bytes of the lock. */
static void look_at_rwlock(const struct snapshot *snapshot, struct snapshot_wait *wait) {
    pthread_rwlock_t rwlock;
    enum { READER_SHIFT = 3 };
    wait->address = (wait->address & ~(uint64_t)7) - 8;
    if (!snapshot_read(snapshot, wait->address, &rwlock, sizeof rwlock))
        return;
    wait->owner = (uint32_t)rwlock.__data.__cur_writer;
    wait->readers = wait->owner == 0 ? rwlock.__data.__readers >> READER_SHIFT : 0;
}

/* One of the two words for the groups of waiters; not at the same place in every glibc. */
static void look_at_condition(struct snapshot_wait *wait) {
    wait->address = (wait->address & ~(uint64_t)7) - offsetof(pthread_cond_t, __data.__g_signals);
}

/* Who comes waits at its second word, who destroys it at its fifth. */
static void look_at_barrier(struct snapshot_wait *wait) { wait->address -= wait->address % 8 == 4 ? 4 : 16; }

/* A thread's end is waited for at the word that holds its kernel id. */
static void look_at_thread(const struct futex_wait *futex, struct snapshot_wait *wait) {
    wait->owner = futex->value;
    wait->address = 0;
}

/* What cannot be told by a function's name. */
static void guess(const struct snapshot *snapshot, const struct futex_wait *futex,
                  struct snapshot_wait *wait) {
    if (wait->object == WAITS_CONDITION && like_a_mutex(futex))
        wait->object = WAITS_MUTEX; /* on its way out of the wait */
    if (wait->object != WAITS_NOT)
        return;
    wait->object = WAITS_FUTEX;
    if (futex->operation == FUTEX_WAIT_BITSET && thread_index(snapshot, futex->value) != SIZE_MAX &&
        word_at(snapshot, futex->address) == futex->value)
        wait->object = WAITS_THREAD;
    else if (like_a_mutex(futex))
        wait->object = WAITS_MUTEX;
}

static struct snapshot_wait wait_of(const struct snapshot *snapshot, const struct futex_wait *futex,
                                    const struct stack *stack) {
    struct snapshot_wait wait = {.next = SIZE_MAX};
    if (!futex->waits)
        return wait;
    wait.address = futex->address;
    wait.limited = futex->limited;
    ask_function(stack, &wait);
    ask_runtime(stack, &wait);
    if (futex->again && wait.object == WAITS_NOT)
        return (struct snapshot_wait){.next = SIZE_MAX}; /* another call than futex */
    guess(snapshot, futex, &wait);
    if (wait.object == WAITS_MUTEX)
        look_at_mutex(snapshot, &wait);
    else if (wait.object == WAITS_RWLOCK)
        look_at_rwlock(snapshot, &wait);
    else if (wait.object == WAITS_CONDITION)
        look_at_condition(&wait);
    else if (wait.object == WAITS_BARRIER)
        look_at_barrier(&wait);
    else if (wait.object == WAITS_THREAD)
        look_at_thread(futex, &wait);
    return wait;
}

static void name_it(struct snapshot *snapshot, struct symbols *symbols, struct snapshot_wait *wait) {
    const char *variable;
    if (wait->object == WAITS_NOT)
        return;
    if (wait->object == WAITS_THREAD) {
        wait->name = wait->next != SIZE_MAX ? pool_printf(snapshot->pool, "%s to end",
                                                          snapshot_thread_label(snapshot, wait->next))
                                            : pool_printf(snapshot->pool, "thread %u to end", wait->owner);
        return;
    }
    variable = snapshot_variable(snapshot, symbols, wait->address);
    wait->name = variable ? variable
                          : pool_printf(snapshot->pool, "%s at 0x%llx", wait_object_name(wait->object),
                                        (unsigned long long)wait->address);
}

/* ---- cycles ---- */

static void add_cycle(struct snapshot_waits *all, struct pool *pool, size_t first) {
    struct snapshot_cycle *cycles = pool_array(pool, all->cycle_count + 1, sizeof *cycles);
    struct snapshot_cycle cycle = {.first = first};
    size_t at = first;
    do {
        cycle.length++;
        cycle.limited |= all->waits[at].limited;
        all->waits[at].cycle = all->cycle_count + 1;
        at = all->waits[at].next;
    } while (at != first);
    if (all->cycle_count)
        memcpy(cycles, all->cycles, all->cycle_count * sizeof *cycles);
    cycles[all->cycle_count++] = cycle;
    all->cycles = cycles;
}

/* Everybody waits for one at most: who comes back to where it began is part of a
 * ring.  Threads are visited once: `visited` says in which walk. */
static void find_cycles(struct snapshot_waits *all, struct pool *pool, size_t count) {
    size_t *visited = pool_array(pool, count, sizeof *visited);
    for (size_t start = 0; start < count; start++) {
        size_t at = start;
        while (at != SIZE_MAX && visited[at] == 0) {
            visited[at] = start + 1;
            at = all->waits[at].next;
        }
        if (at != SIZE_MAX && visited[at] == start + 1)
            add_cycle(all, pool, at);
    }
}

struct snapshot_waits snapshot_waits(struct snapshot *snapshot, struct symbols *symbols,
                                     const struct stack *stacks) {
    size_t count = snapshot->thread_count;
    struct snapshot_waits all = {.waits = pool_array(snapshot->pool, count, sizeof *all.waits)};
    for (size_t i = 0; i < count; i++) {
        struct snapshot_wait *wait = &all.waits[i];
        *wait = wait_of(snapshot, &snapshot->threads[i].futex, &stacks[i]);
        wait->next = thread_index(snapshot, wait->owner);
        name_it(snapshot, symbols, wait);
        all.waiting += wait->object != WAITS_NOT;
    }
    find_cycles(&all, snapshot->pool, count);
    return all;
}
