#include "misuse_words.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "level_words.h"
#include "number_names.h"
#include "stacks.h"

/* In all but the last four: {T} the thread that made the call, {L} the lock, {K}
 * what kind of lock that is, {M} the second lock, {O} the other thread, {holds} "T2 (main) holds" or "it
 * holds itself", {at} the call, {earlier} the place before it, {detail} the error or the signal by name,
 * {limit} a time limit or nothing, {blocks} what kind of call it makes, {behind} what it holds, {says} a text
 * of the program, {level L}, {keys} and {order} as level_words.h says. */
struct words {
    const char *title, *why, *advice;
    const char *calls, *called;   /* "unlocks", "unlocked" */
    const char *before, *earlier; /* "takes", "taken" */
};

static const struct words table[LGR_KINDS] = {
    [LGR_KIND_UNLOCK_UNHELD] =
        {"{T} unlocks {L}, which nobody holds",
         "unlocking a {K} that nobody holds is undefined: from then on two threads may get in at "
         "once",
         "drop the unlock at {at}, or take {L} on every path that leads to it", "unlocks", "unlocked",
         "gives up", "given up"},
    [LGR_KIND_UNLOCK_FOREIGN] =
        {"{T} unlocks {L}, which {O} holds",
         "only the thread that took a {K} may give it back; {O} goes on as if it were alone",
         "unlock in the thread that locked, at {earlier}; to hand over between threads use a "
         "semaphore or a condition variable",
         "unlocks", "unlocked", "takes", "taken"},
    [LGR_KIND_DESTROY_HELD] =
        {"{T} destroys {L}, which {holds}",
         "destroying a {K} that is held is undefined: its holder unlocks something that is no more",
         "unlock {L} before {at}, and make sure that no other thread can still reach it", "destroys",
         "destroyed", "takes", "taken"},
    [LGR_KIND_DESTROY_WAITED] =
        {"{T} destroys {L}, for which {O} waits",
         "a thread that waits for a destroyed {K} may wait for ever or touch freed memory",
         "before {at}, wait until no thread can still ask for {L} (join them first)", "destroys", "destroyed",
         "waits for", "waited for"},
    [LGR_KIND_USE_DESTROYED] = {"{T} uses {L} after it was destroyed",
                                "a destroyed {K} may be used again only after it was initialised anew",
                                "destroy {L} only when its last user is done (it was destroyed at {earlier})",
                                "uses", "used", "destroys", "destroyed"},
    [LGR_KIND_REINIT_HELD] =
        {"{T} initialises {L}, which {holds}",
         "initialising a {K} that is held forgets its holder and its waiters: two threads get in "
         "at once",
         "initialise {L} once, before any thread can take it; at {at} it is held", "initialises",
         "initialised", "takes", "taken"},
    [LGR_KIND_FREE_HELD] = {"{T} gives up the memory of {L}, which {holds}",
                            "the unlock to come writes into memory that belongs to something else",
                            "unlock {L}, taken at {earlier}, before its memory goes", "gives up",
                            "found gone", "takes", "taken"},
    [LGR_KIND_THREAD_EXIT_HELD] =
        {"{T} ends while it holds {L}", "nobody else may unlock it: whoever asks for {L} next waits for ever",
         "unlock {L}, taken at {earlier}, on every way out of the thread (pthread_exit and "
         "cancellation too)",
         "ends with", "left behind", "takes", "taken"},
    [LGR_KIND_COND_WAIT_UNHELD] =
        {"{T} waits for a condition with {L}, which it does not hold",
         "a condition wait unlocks its mutex; a signal between the test and the wait is lost, "
         "and somebody else's lock is given up",
         "lock {L} before {at}, test the condition under it, then wait", "waits with", "waited with", "takes",
         "taken"},
    [LGR_KIND_COND_TWO_MUTEXES] =
        {"{T} waits for a condition with {L} while other threads wait with {M}",
         "all threads that wait for one condition at a time must use one mutex, or signals "
         "are lost",
         "wait with the same mutex at {at} and {earlier}", "waits with", "waited with", "waits with",
         "used by another waiter"},
    [LGR_KIND_COND_DESTROY_WAITED] = {"{T} destroys a condition variable for which {O} waits",
                                      "the waiter sleeps on memory that may be used for something else",
                                      "wake all waiters and wait until they are gone before {at}", "destroys",
                                      "destroyed", "waits for", "waited for"},
    [LGR_KIND_SIGNAL_UNSAFE] =
        {"{L} is taken in a handler of {detail}, and also where that signal is not blocked",
         "when the signal arrives while the same thread holds it, the handler waits for ever",
         "block {detail} while {L} is held, or take no lock in the handler (a self-pipe or "
         "signalfd hands the work to a thread)",
         "in the handler takes", "taken in the handler", "takes", "taken"},
    [LGR_KIND_WRONG_TYPE] = {"{T} uses {L} as a lock of another kind",
                             "what is there is not the kind of object that the call is for: not initialised, "
                             "overwritten, or another type",
                             "initialise {L} for what it is used as at {at}, and look for what overwrites it",
                             "uses", "used", "uses", "used before"},
    [LGR_KIND_JOIN_SELF] = {"{T} joins itself",
                            "a thread that waits for its own end never ends; the call fails, or hangs",
                            "let another thread join it, or detach it, at {at}", "joins itself", "joined",
                            "is created", "created"},
    [LGR_KIND_SEM_MISUSE] =
        {"{T} uses {L} after it was destroyed",
         "what a destroyed semaphore does is undefined: it may let nobody in, or everybody",
         "destroy {L} only when its last user is done (it was destroyed at {earlier})", "uses", "used",
         "destroys", "destroyed"},
    [LGR_KIND_BARRIER_MISUSE] = {"{T} uses a barrier after it was destroyed",
                                 "who waits at a destroyed barrier may wait for ever, or for nobody",
                                 "destroy the barrier only when its last user is done (it was destroyed at "
                                 "{earlier})",
                                 "uses it", "used", "destroys it", "destroyed"},
    [LGR_KIND_ASSERT_FAILED] = {"{T}: an assertion about {L} failed",
                                "the program says itself who must hold this lock here",
                                "take {L} on every path that leads to {at}", "checks", "checked", "takes",
                                "taken"},
    [LGR_KIND_LEVEL_VIOLATION] =
        {"{T} takes {L}{level L} while it holds {M}{level M}, against the declared levels",
         "a thread may only take a lock of a higher level than all it holds{keys}{order}",
         "take {L} before {M}, or release {M} first, at {at}", "takes", "requested", "takes", "taken"},
    [LGR_KIND_WAIT_TIMEOUT] = {"{T} waits too long for {L}", "the wait took longer than lock_timeout{limit}",
                               "hold {L}, taken at {earlier}, for a shorter time", "waits for", "waited for",
                               "takes", "taken"},
    [LGR_KIND_HOLD_TOO_LONG] = {"{T} holds {L} for too long",
                                "whoever wants {L} waits as long; it was held longer than allowed{limit}",
                                "do less between {earlier} and {at}, or release {L} meanwhile", "releases",
                                "released", "takes", "taken"},
    [LGR_KIND_BLOCKED_UNDER_LOCK] =
        {"{T} {blocks} while it holds {L}",
         "whoever wants {L} waits for what that call waits for, and it took longer than blocked_limit",
         "release {L}, taken at {earlier}, before {at}, or make a call there that cannot block",
         "blocks under", "kept during the call", "takes", "taken"},
    [LGR_KIND_HEARTBEAT_MISSED] =
        {"{T} missed its heartbeat{limit}",
         "it gave none for longer than it promised; where it was meanwhile is not known{behind}",
         "see what it does after {at}", "last gives a heartbeat", "last heartbeat", "takes", "taken"},
    [LGR_KIND_CANCEL_UNSAFE] =
        {"{T} was cancelled while it held {L}",
         "no clean-up handler unlocked {L}: whoever asks for it next waits for ever",
         "push a clean-up handler that unlocks {L} where it is taken, at {earlier}, or disable "
         "cancellation while it is held",
         "is cancelled with", "left locked when this call cancelled it", "takes", "taken"},
    [LGR_KIND_API_ERROR] =
        {"a call of {T} fails with {detail}",
         "the call did nothing, and a program that does not look at its result goes on as if it had",
         "look at the result at {at}, and give the call what it needs", "is refused", "refused", "takes",
         "taken"},
    [LGR_KIND_COND_WAIT_HOLDING] = {"{T} waits for a condition while it holds {L}",
                                    "who must take {L} on its way to the signal never gets there",
                                    "release {L}, taken at {earlier}, before waiting at {at}",
                                    "waits holding", "kept during the wait", "takes", "taken"},
    [LGR_KIND_FORK_HELD] =
        {"{T} forks while {O} holds {L}",
         "in the child that lock is held by a thread that does not exist: whoever asks for it waits "
         "for ever",
         "exec right after the fork at {at}, or take {L} around it (pthread_atfork)", "forks under",
         "held when it forked", "takes", "taken"},
    [LGR_KIND_USER] = {"{says}", "the program says so itself", "see what it checks at {at}", "reports",
                       "reported", "takes", "taken"},
};

/* Kinds that tell two stories: by the detail, or by how grave it is. */
static const struct words holding_signaller = {
    "{O} waits for a signal while it holds {L}, which {T} takes before it signals",
    "while {O} waits, {T} cannot take {L}, so the signal never comes",
    "release {L} before waiting at {earlier}, or signal without taking it at {at}",
    "signals, having taken",
    "needed for the signal",
    "waits holding",
    "kept during the wait"};
static const struct words holding_waiter = {
    "{T} waits for a signal while it holds {L}, which {O} takes before it signals",
    "while {T} waits, {O} cannot take {L}, so the signal never comes",
    "release {L} before waiting at {at}, or signal without taking it at {earlier}",
    "waits holding",
    "kept during the wait",
    "signals, having taken",
    "needed for the signal"};
static const struct words open_last = {
    "{L} is taken in a handler of {detail}, and also where that signal is not blocked",
    "when the signal arrives while the same thread holds it, the handler waits for ever",
    "block {detail} while {L} is held at {at}, or take no lock in the handler (a self-pipe or "
    "signalfd hands the work to a thread)",
    "takes",
    "taken with the signal unblocked",
    "in the handler takes",
    "taken in the handler"};
static const struct words sem_waited = {
    "{T} destroys {L}, for which {O} waits",
    "a thread that waits for a destroyed semaphore may wait for ever or touch freed memory",
    "before {at}, post until nobody waits for {L}, and make sure that nobody can still come",
    "destroys",
    "destroyed",
    "waits for",
    "waited for"};
static const struct words barrier_waited = {
    "{T} destroys a barrier, or makes it anew, while {O} waits at it",
    "those who wait at it may wait for ever or touch freed memory",
    "before {at}, let all who wait at the barrier go on, and make sure that nobody can still come",
    "takes it away",
    "taken away",
    "waits at it",
    "waited at"};
static const struct words fork_asked = {
    "{T} asks for {L}, which {O} held when the process forked",
    "{O} does not exist in this process: nobody will ever release {L}",
    "take {L} around the fork (pthread_atfork), or exec before anything that asks for it at {at}",
    "asks for",
    "asked for in the child",
    "takes",
    "taken before the fork"};
static const struct words fork_class = {
    "{T} goes on after fork with locks like {L}, which {O} held when the process forked",
    "{O} does not exist in this process: whoever asks for {L} itself waits for ever",
    "take {L} around the fork (pthread_atfork), or exec before anything that asks for its like at {at}",
    "uses the like of",
    "followed by another of its kind in the child",
    "takes",
    "taken before the fork"};

static const struct words assert_pinned = {"{T} gives up {L}, which it pinned",
                                           "the program says itself that this lock must not be given up here",
                                           "unpin {L}, taken at {earlier}, before {at}, or give it up later",
                                           "gives up",
                                           "given up",
                                           "takes",
                                           "taken"};
static const struct words heartbeat_waits = {
    "{T} missed its heartbeat{limit}",
    "it gave none for longer than it promised, because it waits{behind}",
    "do not wait for so long at {at}, or end the promise before",
    "waits",
    "waiting",
    "takes",
    "taken"};
static const struct words heartbeat_late = {
    "{T} missed its heartbeat{limit}",
    "it gave none for longer than it promised, until this one; nobody looked meanwhile",
    "see what takes so long before {at}",
    "gives a heartbeat too late",
    "late heartbeat",
    "takes",
    "taken"};
static const struct words hold_goes_on = {
    "{O} holds {L} for too long, and goes on",
    "{T} waits as long, and whoever else wants {L}; it is held longer than allowed{limit}",
    "do less under {L}, taken at {earlier}, or release it meanwhile",
    "waits for",
    "waited for",
    "takes",
    "taken"};
static const struct words level_pair = {
    "{T} takes {L}{level L} while it holds {M}{level M}, against the declared order",
    "the order file puts {L} before {M}: it may not be taken under it",
    "take {L} before {M}, or release {M} first, at {at}",
    "takes",
    "requested",
    "takes",
    "taken"};

static const struct words declared_by_name = {
    "{T} takes {L} while it holds {M}, against the declared order",
    "the program declares that {L} comes before {M} where both are held",
    "take {L} before {M}, or release {M} first, at {at}",
    "takes",
    "requested",
    "takes",
    "taken"};

static const struct words *words_of(const struct model_finding *finding) {
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION && finding->detail == LGR_LEVEL_PAIR)
        return &level_pair;
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION &&
        names_forbid(finding->edges[0].from, finding->edges[0].to))
        return &declared_by_name;
    if (finding->kind == LGR_KIND_COND_WAIT_HOLDING && finding->detail == LGR_HOLDING_SIGNALLER)
        return &holding_signaller;
    if (finding->kind == LGR_KIND_COND_WAIT_HOLDING && finding->detail == LGR_HOLDING_WAITER)
        return &holding_waiter;
    if (finding->kind == LGR_KIND_SIGNAL_UNSAFE && (finding->detail & LGR_SIGNAL_CALL_IN_HANDLER) == 0)
        return &open_last;
    if (finding->kind == LGR_KIND_SEM_MISUSE && finding->detail == LGR_USE_WAITED)
        return &sem_waited;
    if (finding->kind == LGR_KIND_BARRIER_MISUSE && finding->detail == LGR_USE_WAITED)
        return &barrier_waited;
    if (finding->kind == LGR_KIND_FORK_HELD && finding->detail == LGR_FORK_ASKED)
        return &fork_asked;
    if (finding->kind == LGR_KIND_FORK_HELD && finding->detail == LGR_FORK_CLASS)
        return &fork_class;
    if (finding->kind == LGR_KIND_ASSERT_FAILED && finding->detail == LGR_ASSERT_PINNED)
        return &assert_pinned;
    if (finding->kind == LGR_KIND_HEARTBEAT_MISSED &&
        finding->detail >> LGR_HEARTBEAT_SHIFT == LGR_HEARTBEAT_WAITS)
        return &heartbeat_waits;
    if (finding->kind == LGR_KIND_HEARTBEAT_MISSED &&
        finding->detail >> LGR_HEARTBEAT_SHIFT == LGR_HEARTBEAT_LATE)
        return &heartbeat_late;
    if (finding->kind == LGR_KIND_HOLD_TOO_LONG && (finding->detail & LGR_HOLD_GOES_ON) != 0)
        return &hold_goes_on;
    return &table[finding->kind]; /* the variants are above */
}

bool is_misuse(const struct model_finding *finding) {
    return finding->kind < LGR_KINDS && table[finding->kind].title != NULL;
}
const char *misuse_call(const struct model_finding *finding) { return words_of(finding)->called; }
const char *misuse_earlier(const struct model_finding *finding) {
    if (finding->kind == LGR_KIND_HEARTBEAT_MISSED && finding->edge_count > 1)
        return "waited for";
    return words_of(finding)->earlier;
}

/* ---- what stands for the words in braces ---- */

static const struct model_thread *other_thread(const struct model_finding *finding) {
    return finding->edge_count > 1 ? finding->edges[1].thread : NULL;
}

static const char *lock_label(const struct model_finding *finding) {
    return finding->edges[0].from ? finding->edges[0].from_label : "a lock";
}

static const char *who_holds(struct pool *pool, const struct model_finding *finding) {
    const struct model_thread *other = other_thread(finding);
    const struct model_edge *call = &finding->edges[0];
    if (other)
        return pool_printf(pool, "%s holds", other->label);
    for (size_t i = 0; i < call->held_count; i++)
        if (call->held[i].lock == call->from)
            return "it holds itself";
    return "is held";
}

static const char *detail_name(struct pool *pool, const struct model_finding *finding) {
    int detail = (int)(finding->detail & ~(uint64_t)LGR_SIGNAL_CALL_IN_HANDLER);
    const char *name = finding->kind == LGR_KIND_SIGNAL_UNSAFE ? signal_name(detail) : error_name(detail);
    if (!name)
        return pool_printf(pool, "number %d", detail);
    return finding->kind == LGR_KIND_SIGNAL_UNSAFE ? pool_printf(pool, "SIG%s", name) : name;
}

static const char *limit_of(struct pool *pool, const struct model_finding *finding) {
    uint32_t ms = (uint32_t)finding->detail; /* what is above says more, by kind */
    return ms == 0 ? "" : pool_printf(pool, " (%" PRIu32 " ms)", ms);
}

/* Who waits for a thread that gives no heartbeat. */
static const char *who_is_behind(struct pool *pool, const struct model_finding *finding) {
    const struct model_thread *other = other_thread(finding);
    const char *lock = lock_label(finding);
    if (other)
        return pool_printf(pool, "; %s waits for %s, which it holds", other->label, lock);
    return finding->edges[0].from ? pool_printf(pool, "; it holds %s", lock) : "";
}

static const char *what_blocks(const struct model_finding *finding) {
    static const char *const calls[] = {
        [LGR_BLOCKING_SLEEP] = "sleeps",
        [LGR_BLOCKING_READ] = "reads",
        [LGR_BLOCKING_WRITE] = "writes",
        [LGR_BLOCKING_RECEIVE] = "waits for a message",
        [LGR_BLOCKING_SEND] = "sends",
        [LGR_BLOCKING_ACCEPT] = "waits for a connection",
        [LGR_BLOCKING_CONNECT] = "connects",
        [LGR_BLOCKING_POLL] = "waits for files to be ready",
        [LGR_BLOCKING_SYNC] = "waits for a disk",
        [LGR_BLOCKING_CHILD] = "waits for a child process",
    };
    size_t call = (size_t)finding->detail;
    return call < sizeof calls / sizeof *calls && calls[call] ? calls[call] : "blocks";
}

static const char *value_of(struct pool *pool, const struct model_finding *finding, const char *name) {
    const struct model_edge *call = &finding->edges[0];
    const struct model_thread *other = other_thread(finding);
    if (strcmp(name, "T") == 0)
        return call->thread->label;
    if (strcmp(name, "L") == 0)
        return lock_label(finding);
    if (strcmp(name, "K") == 0)
        return call->from ? call->from->kind : "lock";
    if (strcmp(name, "M") == 0)
        return call->to ? call->to_label : "another lock";
    if (strcmp(name, "O") == 0)
        return other ? other->label : "another thread";
    if (strcmp(name, "holds") == 0)
        return who_holds(pool, finding);
    if (strncmp(name, "level ", strlen("level ")) == 0)
        return level_of_lock(pool, strcmp(name, "level L") == 0 ? call->from : call->to);
    if (strcmp(name, "keys") == 0)
        return level_keys(call->from, call->to);
    if (strcmp(name, "order") == 0)
        return level_order(pool, call->from, call->to);
    if (strcmp(name, "at") == 0)
        return frame_place(pool, stack_site(&call->requested_at));
    if (strcmp(name, "earlier") == 0)
        return frame_place(pool, stack_site(&call->held_at));
    if (strcmp(name, "says") == 0)
        return finding->text && *finding->text ? finding->text : "reported by the program itself";
    if (strcmp(name, "behind") == 0)
        return who_is_behind(pool, finding);
    if (strcmp(name, "blocks") == 0)
        return what_blocks(finding);
    if (strcmp(name, "limit") == 0)
        return limit_of(pool, finding);
    return detail_name(pool, finding);
}

static const char *expand(struct pool *pool, const struct model_finding *finding, const char *text) {
    const char *result = "", *open;
    while ((open = strchr(text, '{'))) {
        const char *close = strchr(open, '}');
        char name[16] = "";
        memcpy(name, open + 1, (size_t)(close - open - 1));
        result =
            pool_printf(pool, "%s%.*s%s", result, (int)(open - text), text, value_of(pool, finding, name));
        text = close + 1;
    }
    return pool_printf(pool, "%s%s", result, text);
}

/* ---- the steps ---- */

static const char *earlier_step(struct pool *pool, const struct model_finding *finding) {
    const struct model_thread *other = other_thread(finding);
    const struct model_edge *call = &finding->edges[0];
    bool of_second = finding->kind == LGR_KIND_LEVEL_VIOLATION && call->to;
    const char *label = of_second ? call->to_label : call->from ? call->from_label : "";
    bool waits = finding->kind == LGR_KIND_HEARTBEAT_MISSED && other; /* for the lock that the other holds */
    return pool_printf(pool, "%s %s%s%s at %s", other ? other->tag : call->thread->tag,
                       waits ? "waits for" : words_of(finding)->before, *label ? " " : "", label,
                       frame_place(pool, stack_site(&call->held_at)));
}

static const char *call_step(struct pool *pool, const struct model_finding *finding) {
    const struct model_edge *call = &finding->edges[0];
    bool alone = !call->from || finding->kind == LGR_KIND_HEARTBEAT_MISSED;
    return pool_printf(pool, "%s %s%s%s at %s", call->thread->tag, words_of(finding)->calls, alone ? "" : " ",
                       alone ? "" : call->from_label, frame_place(pool, stack_site(&call->requested_at)));
}

static void tell_steps(struct pool *pool, struct model_finding *finding) {
    finding->steps = pool_array(pool, 2, sizeof *finding->steps);
    finding->step_count = 0;
    finding->steps_heading = "Where";
    if (finding->edges[0].held_at.count)
        finding->steps[finding->step_count++] = earlier_step(pool, finding);
    finding->steps[finding->step_count++] = call_step(pool, finding);
}

void narrate_misuse(struct pool *pool, struct model_finding *finding) {
    const struct words *words = words_of(finding);
    finding->title = expand(pool, finding, words->title);
    finding->why = expand(pool, finding, words->why);
    finding->advice = expand(pool, finding, words->advice);
    tell_steps(pool, finding);
}
