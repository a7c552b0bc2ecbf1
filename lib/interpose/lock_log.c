#include "interpose/lock_log.h"

#include "engine/lock_class.h"
#include "engine/misuse.h"
#include "engine/operation.h"
#include "interpose/self.h"
#include "interpose/short_names.h"
#include "lockgraph/lockgraph.h"
#include "platform/log_target.h"
#include "platform/safe_read.h"

static const uint64_t millisecond = 1000000;

static unsigned long ms(uint64_t ns) { return (unsigned long)(ns / millisecond); }

/* What the thread that writes the line is doing. */
static void put_operation(struct lgp_text *text) {
    const struct lge_thread *thread = lgi_local.block;
    const char *name = thread == NULL ? NULL : lge_operation_name(lge_operation(thread));
    if (name != NULL)
        lgp_format(text, "%s: ", name);
}

/* NULL: its kind has none. */
static const void *group_of(const void *address, uint8_t kind) {
    switch (kind) {
    case LGR_LOCK_MUTEX:
        return &((const lg_mutex_t *)address)->declared.group;
    case LGR_LOCK_RWLOCK:
        return &((const lg_rwlock_t *)address)->declared.group;
    case LGR_LOCK_SEMAPHORE:
        return &((const lg_sem_t *)address)->declared.group;
    default:
        return NULL;
    }
}

/* Only locks of the lg_ functions are of a class whose levels these look at.  A hold may
 * outlive its lock's memory. */
static void put_group(struct lgp_text *text, const struct lge_class *class, const void *address,
                      uint8_t kind) {
    enum { LONGEST = 128 };
    char name[LONGEST];
    const struct lg_group *group;
    struct lg_group copy;
    const void *at = class != NULL && class->by_front_end && address != NULL ? group_of(address, kind) : NULL;
    if (at != NULL && lgp_read_safely(&group, at, sizeof group) && group != NULL &&
        lgp_read_safely(&copy, group, sizeof copy) && copy.name != NULL &&
        lgp_read_text_safely(name, copy.name, sizeof name))
        lgp_format(text, "%s: ", name);
}

static void begin(struct lgp_log_line *line, enum lgp_log_level level, uint64_t lock, const void *address,
                  uint8_t kind) {
    const struct lge_class *class = lge_class_get(lge_lock_class(lock));
    lgp_log_begin(line, level);
    put_operation(&line->text);
    put_group(&line->text, class, address, kind);
    lgi_put_lock(&line->text, lock, address);
    lgi_put_level(&line->text, class);
    lgp_format(&line->text, ": ");
}

/* ---- a wait past its limit ---- */

static void put_thread(struct lgp_text *text, const struct lge_overdue *overdue) {
    const struct lge_thread *self = lgi_local.block;
    if (self != NULL && overdue->holder == lge_thread_tid(self)) {
        lgp_format(text, "; held by this thread");
        return;
    }
    lgp_format(text, "; held by %u", overdue->holder);
    if (overdue->holder_name[0] != '\0')
        lgp_format(text, " %s", overdue->holder_name);
    else if (overdue->holder_known == 0)
        lgp_format(text, ", no thread that is known");
}

static void put_holder(struct lgp_text *text, const struct lge_overdue *overdue) {
    if (overdue->holder == 0)
        return;
    put_thread(text, overdue);
    if (overdue->at_first)
        lgp_format(text, " when that began");
    if (overdue->taken_at != 0) {
        lgp_format(text, ", taken at ");
        lgi_put_place(text, overdue->taken_at);
    }
    if (overdue->held_ns != 0 && !overdue->at_first)
        lgp_format(text, ", for %s%lu ms", overdue->held_exactly ? "" : "at least ", ms(overdue->held_ns));
    if (overdue->more_holders != 0)
        lgp_format(text, ", and by %u more", overdue->more_holders);
}

static void put_holders_wait(struct lgp_text *text, const struct lge_overdue *overdue) {
    if (overdue->holder_waits == LGR_WAIT_JOIN) {
        lgp_format(text, "; it waits for a thread to end");
    } else if (overdue->holder_waits == LGR_WAIT_ONCE) {
        lgp_format(text, "; it waits for a one-time initialisation");
    } else if (overdue->holder_waits == LGR_WAIT_BARRIER) {
        lgp_format(text, "; it waits at a barrier");
    } else if (overdue->holder_waits == LGR_WAIT_LOCK) {
        lgp_format(text,
                   overdue->holder_at_condition ? "; it waits for a condition with " : "; it waits for ");
        lgi_put_lock(text, overdue->holder_wants, overdue->holder_wants_address);
    }
}

void lgi_log_overdue(const struct lge_overdue *overdue) {
    struct lgp_log_line line;
    if (!lgp_log_wanted(LGP_LOG_WARNING))
        return;
    begin(&line, LGP_LOG_WARNING, overdue->lock, overdue->address, overdue->kind);
    lgp_format(&line.text, "timeout after %lu ms", ms(overdue->waited_ns));
    put_holder(&line.text, overdue);
    put_holders_wait(&line.text, overdue);
    if (overdue->queue != 0)
        lgp_format(&line.text, "; %u more wait%s for it", overdue->queue, overdue->queue == 1 ? "s" : "");
    lgp_log_end(&line, LGP_LOG_WARNING);
}

/* ---- holds that last too long ---- */

void lgi_log_overlong(const struct lge_overlong *overlong) {
    struct lgp_log_line line;
    if (!lgp_log_wanted(LGP_LOG_WARNING))
        return;
    begin(&line, LGP_LOG_WARNING, overlong->lock, overlong->address, overlong->kind);
    lgp_format(&line.text, "%s for %lu ms, more than %lu ms", overlong->given_up ? "was held" : "is held",
               ms(overlong->lasted_ns), ms(overlong->limit_ns));
    if (overlong->holder != 0)
        lgp_format(&line.text, " by %u", overlong->holder);
    lgp_format(&line.text, "; taken at ");
    lgi_put_place(&line.text, overlong->taken_at);
    lgp_log_end(&line, LGP_LOG_WARNING);
}

void lgi_log_blocked(const struct lge_held *held, const char *function, uint64_t ns) {
    struct lgp_log_line line;
    if (!lgp_log_wanted(LGP_LOG_WARNING))
        return;
    begin(&line, LGP_LOG_WARNING, held->id, held->address, held->kind);
    lgp_format(&line.text, "held for %lu ms of %s; taken at ", ms(ns), function);
    lgi_put_place(&line.text, held->site);
    lgp_log_end(&line, LGP_LOG_WARNING);
}

/* ---- releases, and everything ---- */

void lgi_log_unheld(uint64_t lock, const void *address, uint8_t kind) {
    struct lgp_log_line line;
    if (!lgp_log_wanted(LGP_LOG_WARNING) || !lge_misuse_wanted(LGR_KIND_UNLOCK_UNHELD))
        return;
    begin(&line, LGP_LOG_WARNING, lock, address, kind);
    lgp_format(&line.text, "release of a lock that is not held");
    lgp_log_end(&line, LGP_LOG_WARNING);
}

void lgi_log_traced(enum lge_traced what, uint64_t lock, const void *address, uint8_t kind, uint64_t ns) {
    struct lgp_log_line line;
    begin(&line, LGP_LOG_DEBUG, lock, address, kind);
    if (what == LGE_TRACED_REQUEST)
        lgp_format(&line.text, "acquiring");
    else
        lgp_format(&line.text, "%s after %lu ms", what == LGE_TRACED_ACQUISITION ? "acquired" : "released",
                   ms(ns));
    lgp_log_end(&line, LGP_LOG_DEBUG);
}

/* ---- what a thread holds ---- */

static void log_hold(const struct lge_held *held) {
    struct lgp_log_line line;
    begin(&line, LGP_LOG_INFO, held->id, held->address, held->kind);
    lgp_format(&line.text, "held%s, taken at ", held->mode == LGR_SHARED ? " shared" : "");
    lgi_put_place(&line.text, held->site);
    lgp_log_end_asked(&line, LGP_LOG_INFO);
}

void lgi_log_held(const struct lge_thread *thread) {
    struct lgp_log_line line;
    size_t count = lge_held_count(thread);
    lgp_log_begin(&line, LGP_LOG_INFO);
    put_operation(&line.text);
    lgp_format(&line.text, "this thread holds %zu lock%s", count, count == 1 ? "" : "s");
    lgp_log_end_asked(&line, LGP_LOG_INFO);
    for (const struct lge_held *held = thread->top; held > thread->base; held--)
        if (held->address != NULL)
            log_hold(held);
}

/* ---- limits that change ---- */

static void put_class(struct lgp_text *text, uint32_t class_id) {
    const struct lge_class *class = lge_class_get(class_id);
    lgp_format(text, "%s", class != NULL && class->name != NULL ? class->name : "lock");
    lgi_put_level(text, class);
}

void lgi_log_adapted(const struct lge_adapted *adapted) {
    struct lgp_log_line line;
    if (!lgp_log_wanted(LGP_LOG_INFO))
        return;
    lgp_log_begin(&line, LGP_LOG_INFO);
    if (adapted->operation != NULL)
        lgp_format(&line.text, "%s: ", adapted->operation);
    put_class(&line.text, adapted->class_id);
    lgp_format(&line.text, ": limit %u ms", adapted->to_ms);
    if (adapted->from_ms != 0)
        lgp_format(&line.text, ", was %u ms", adapted->from_ms);
    lgp_format(&line.text, "; of %lu holds 99 in 100 lasted at most %lu us", (unsigned long)adapted->holds,
               (unsigned long)(adapted->p99_ns / 1000));
    lgp_log_end(&line, LGP_LOG_INFO);
}

/* ---- start ---- */

void lgi_log_start(enum lgp_log_level level, const char *where) {
    lgp_log_set_level(level);
    if (!lgp_log_to(where))
        lgp_warn("log_to=%s: it cannot be opened; log lines go to the standard error", where);
}
