/* read(2), poll(2), nanosleep(2) and their like: a call that blocks while its thread
 * holds a lock makes all those wait who want that.
 *
 * Most of them are async-signal-safe and called from handlers, in a child of vfork
 * and before our constructor, and nearly all are cancellation points: the real
 * function is called from here with nothing entered, nothing published and nothing
 * to undo.  What is looked at is the clock, before and after; only a call that took
 * long enters the runtime, once it is over. */
#undef _FORTIFY_SOURCE /* some of them would be inline functions */
#include "interpose/blocking.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "engine/blocked.h"
#include "interpose/blocking_calls.h"
#include "interpose/lock_log.h"
#include "interpose/self.h"
#include "platform/system.h"

/* ---- the functions behind ---- */

static void look_up(void);

#define KNOWN_FIELD(result, name, kind, first, parameters, arguments) result(*name) parameters;
#define OTHER_FIELD(result, name, kind, parameters, arguments)        result(*name) parameters;
struct real {
    _Alignas(64) uint64_t limit_ns; /* 0: nothing is looked at.  Written by the constructor */
    LGI_BLOCKING_CALLS(KNOWN_FIELD, OTHER_FIELD)
};
static struct real real;

/* Called before the constructor, by the start of another library. */
#define KNOWN_EARLY(result, name, kind, first, parameters, arguments)
#define OTHER_EARLY(result, name, kind, parameters, arguments)                                               \
    static result early_##name parameters {                                                                  \
        look_up();                                                                                           \
        return real.name arguments;                                                                          \
    }
LGI_BLOCKING_CALLS(KNOWN_EARLY, OTHER_EARLY)

#define KNOWN_FIRST(result, name, kind, first, parameters, arguments) .name = first,
#define OTHER_FIRST(result, name, kind, parameters, arguments)        .name = early_##name,
static struct real real = {LGI_BLOCKING_CALLS(KNOWN_FIRST, OTHER_FIRST)};

#define KNOWN_ENTRY(result, name, kind, first, parameters, arguments) {offsetof(struct real, name), #name},
#define OTHER_ENTRY(result, name, kind, parameters, arguments)        {offsetof(struct real, name), #name},
static const struct {
    size_t offset;
    const char *name;
} entries[] = {LGI_BLOCKING_CALLS(KNOWN_ENTRY, OTHER_ENTRY)};

/* The next ones in the search order, as in real.c. */
static void look_up(void) {
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        void *found = dlsym(RTLD_NEXT, entries[i].name);
        if (found != NULL)
            *(void **)(void *)((char *)&real + entries[i].offset) = found;
    }
}

/* ---- what is looked at ---- */

struct blocking {
    const char *name;
    enum lgr_blocking kind;
    uintptr_t site, sp;
    uint64_t since_ns; /* 0: no lock is held, or nobody can tell */
};

/* In a handler that is known to be one nothing is looked at: what it holds is
 * what it interrupted. */
static bool holds(void) {
    const struct lge_thread *thread = lgi_local.block;
    return thread != NULL && !lgi_local.inside && thread->handlers.depth == 0 && lge_depth(thread) != 0;
}

static void begin(struct blocking *call) { call->since_ns = holds() ? lgp_monotonic_ns() : 0; }

/* A child of vfork runs on its parent's block. */
static bool is_own(const struct lge_thread *thread) { return lgp_tid() == lge_thread_tid(thread); }

__attribute__((noinline)) static void took_long(const struct blocking *call, uint64_t ns) {
    struct lge_thread *thread = is_own(lgi_local.block) ? lgi_enter() : NULL;
    if (thread == NULL)
        return;
    const struct lge_held *held = lge_blocked_under(thread);
    if (held != NULL) {
        lgi_log_blocked(held, call->name, ns);
        lge_blocked_report(thread, held, call->kind, call->site, call->sp);
    }
    lgi_leave(thread);
}

static void end(const struct blocking *call) {
    int saved = errno;
    uint64_t took = call->since_ns == 0 ? 0 : lgp_monotonic_ns() - call->since_ns;
    if (took > real.limit_ns && holds())
        took_long(call, took);
    errno = saved;
}

void lgi_blocking_start(uint64_t limit) {
    look_up();
    real.limit_ns = limit;
}

/* ---- the functions ---- */

/* The caller's place before what it passes. */
#define PLACED_PARAMETERS(...) (uintptr_t site, uintptr_t sp, __VA_ARGS__)
#define PLACED(...)            (LGI_SITE(), LGI_SP(), __VA_ARGS__)

/* Apart, so that a call that is passed straight on saves no register. */
#define WATCHED(result, function, enumerator, parameters, arguments)                                         \
    __attribute__((noinline)) static result watched_##function PLACED_PARAMETERS parameters {                \
        struct blocking call = {                                                                             \
            .name = #function, .kind = LGR_BLOCKING_##enumerator, .site = site, .sp = sp};                   \
        begin(&call);                                                                                        \
        result value = real.function arguments;                                                              \
        end(&call);                                                                                          \
        return value;                                                                                        \
    }                                                                                                        \
    LGI_EXPORT result function parameters {                                                                  \
        if (LGI_LIKELY(real.limit_ns == 0))                                                                  \
            return real.function arguments;                                                                  \
        return watched_##function PLACED arguments;                                                          \
    }
#define KNOWN_WATCHED(result, name, kind, first, parameters, arguments)                                      \
    WATCHED(result, name, kind, parameters, arguments)
LGI_BLOCKING_CALLS(KNOWN_WATCHED, WATCHED)
