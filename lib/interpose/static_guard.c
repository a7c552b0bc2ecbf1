/* As libstdc++'s guard.cc (libstdc++-v3/libsupc++) with futexes has it. */
#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "interpose/local_static.h"
#include "interpose/real.h"
#include "platform/system.h"

enum { FREE = 0, DONE = 1, PENDING = 0x100, WAITED_FOR = 0x10000 }; /* of the first half */

static uint32_t *word_of(uint64_t *guard) { return (uint32_t *)(void *)guard; }

/* What was there before: `from` where it was changed. */
static uint32_t change(uint32_t *word, uint32_t from, uint32_t to) {
    __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return from;
}

/* Nobody else could be at it: the variable needs itself, which C++ refuses in its own way. */
static int refuse(uint64_t *guard) {
    void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
    int (*acquire)(uint64_t *) = NULL;
    if (library != NULL)
        *(void **)(void *)&acquire = dlsym(library, "__cxa_guard_acquire");
    if (acquire == NULL)
        abort();
    return acquire(guard);
}

static void wait_while(uint32_t *word, uint32_t value) {
    lgp_syscall(SYS_futex, (long)word, FUTEX_WAIT, (long)value, 0, 0, 0);
}

static void wake_all(uint32_t *word) { lgp_syscall(SYS_futex, (long)word, FUTEX_WAKE, INT_MAX, 0, 0, 0); }

int lgi_guard_acquire(uint64_t *guard) {
    uint32_t *word = word_of(guard), now = change(word, FREE, PENDING);
    if (now == PENDING && lgi_real_single_threaded())
        return refuse(guard);
    for (; now != FREE && (now & DONE) == 0; now = change(word, FREE, PENDING)) {
        if (now == PENDING)
            now = change(word, PENDING, PENDING | WAITED_FOR);
        if (now == PENDING || now == (PENDING | WAITED_FOR))
            wait_while(word, PENDING | WAITED_FOR);
    }
    return now == FREE;
}

static void leave(uint64_t *guard, uint32_t state) {
    uint32_t *word = word_of(guard);
    if ((__atomic_exchange_n(word, state, __ATOMIC_ACQ_REL) & WAITED_FOR) != 0)
        wake_all(word);
}

void lgi_guard_release(uint64_t *guard) { leave(guard, DONE); }

void lgi_guard_abort(uint64_t *guard) { leave(guard, FREE); }
