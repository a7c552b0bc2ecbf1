#include "interpose/finding_text.h"

#include "engine/context.h"
#include "engine/lock_class.h"
#include "interpose/short_names.h"
#include "platform/memory.h"
#include "platform/options.h"
#include "platform/print.h"
#include "platform/system.h"

enum { FRAMES_SHOWN = 6 };

static void put_stack(struct lgp_text *text, const char *what, uint32_t context_id) {
    const struct lge_context *context = lge_context_get(context_id);
    if (context == NULL)
        return;
    lgp_format(text, "      %s", what);
    for (size_t i = 0; i < context->count && i < FRAMES_SHOWN; i++) {
        lgp_format(text, i == 0 ? " " : " < ");
        lgi_put_place(text, context->frames[i]);
    }
    lgp_format(text, "\n");
}

static void put_holds(struct lgp_text *text, const struct lge_finding_edge *edge) {
    lgp_format(text, "holds ");
    if (edge->held_count == 0)
        lgp_format(text, "nothing");
    for (uint32_t i = 0; i < edge->held_count; i++) {
        if (i != 0)
            lgp_format(text, ", ");
        lgi_put_lock(text, edge->held[i].lock, NULL);
    }
}

static void put_edge(struct lgp_text *text, const struct lge_finding_edge *edge, bool actual) {
    lgp_format(text, "  T%u ", edge->thread);
    put_holds(text, edge);
    if (edge->wait_kind == LGR_WAIT_JOIN)
        lgp_format(text, ", waits for T%lu to end\n", (unsigned long)edge->to);
    else if (edge->wait_kind == LGR_WAIT_ONCE)
        lgp_format(text, ", waits for the one-time initialisation that T%lu runs\n", (unsigned long)edge->to);
    else if (edge->wait_kind == LGR_WAIT_BARRIER)
        lgp_format(text, ", waits at a barrier\n");
    else if (edge->wait_kind == LGR_WAIT_CONDITION)
        lgp_format(text, ", waits for condition %p\n", (const void *)(uintptr_t)edge->to);
    else {
        lgp_format(text, actual ? ", waits for " : ", wants ");
        lgi_put_lock(text, edge->to, NULL);
        lgp_format(text, "\n");
    }
    if (!actual)
        return;
    put_stack(text, "waits at", edge->request_context);
    for (uint32_t i = 0; i < edge->held_count; i++)
        put_stack(text, "holds from", edge->held[i].context);
}

/* ---- misuse ---- */

/* What the thread did, in the third person. */
static const char *const misuses[LGR_KINDS] = {
    [LGR_KIND_UNLOCK_UNHELD] = "gives up a lock that nobody holds",
    [LGR_KIND_UNLOCK_FOREIGN] = "gives up a lock that another thread holds",
    [LGR_KIND_DESTROY_HELD] = "destroys a lock that is held",
    [LGR_KIND_DESTROY_WAITED] = "destroys a lock that a thread waits for",
    [LGR_KIND_USE_DESTROYED] = "uses a lock after it was destroyed",
    [LGR_KIND_REINIT_HELD] = "initialises a lock that is held",
    [LGR_KIND_FREE_HELD] = "lets memory go with a held lock in it",
    [LGR_KIND_THREAD_EXIT_HELD] = "ends while it holds a lock",
    [LGR_KIND_COND_WAIT_UNHELD] = "waits for a condition with a mutex that it does not hold",
    [LGR_KIND_COND_TWO_MUTEXES] = "waits for a condition with another mutex than others do",
    [LGR_KIND_COND_DESTROY_WAITED] = "destroys a condition that a thread waits for",
    [LGR_KIND_SIGNAL_UNSAFE] = "takes a lock that a signal handler takes, too",
    [LGR_KIND_WRONG_TYPE] = "uses an object that is of another kind",
    [LGR_KIND_JOIN_SELF] = "joins itself",
    [LGR_KIND_SEM_MISUSE] = "misuses a semaphore",
    [LGR_KIND_BARRIER_MISUSE] = "misuses a barrier",
    [LGR_KIND_ASSERT_FAILED] = "fails an assertion about a lock",
    [LGR_KIND_LEVEL_VIOLATION] = "takes a lock against the declared levels",
    [LGR_KIND_WAIT_TIMEOUT] = "waits too long for a lock",
    [LGR_KIND_HOLD_TOO_LONG] = "holds a lock too long",
    [LGR_KIND_BLOCKED_UNDER_LOCK] = "blocks while it holds a lock",
    [LGR_KIND_HEARTBEAT_MISSED] = "missed its heartbeat",
    [LGR_KIND_CANCEL_UNSAFE] = "is cancelled with a lock held",
    [LGR_KIND_API_ERROR] = "makes a call that fails",
    [LGR_KIND_COND_WAIT_HOLDING] = "waits for a condition while it holds another lock",
    [LGR_KIND_FORK_HELD] = "forks while another thread holds a lock",
    [LGR_KIND_USER] = "reports a problem",
};

static void put_levelled(struct lgp_text *text, uint64_t lock) {
    lgi_put_lock(text, lock, NULL);
    lgi_put_level(text, lge_class_get(lge_lock_class(lock)));
}

static void put_misuse(struct lgp_text *text, const struct lge_finding *finding) {
    const struct lge_finding_edge *call = &finding->edges[0];
    lgp_format(text, "  T%u", call->thread);
    if (call->from != 0) {
        lgp_format(text, ", ");
        put_levelled(text, call->from);
    }
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION) {
        lgp_format(text, ", while it holds ");
        put_levelled(text, call->to);
    }
    if (finding->edge_count > 1)
        lgp_format(text, ", T%u before it", finding->edges[1].thread);
    lgp_format(text, "\n");
    put_stack(text, "at", call->request_context);
    put_stack(text, "before it at", call->held_context);
}

/* ---- all kinds ---- */

static void put_title(struct lgp_text *text, const struct lge_finding *finding) {
    lgp_format(text, "lockgraph[%u]: ", lgp_pid());
    switch (finding->kind) {
    case LGR_KIND_DEADLOCK:
        lgp_format(text, "deadlock: these threads wait for each other");
        break;
    case LGR_KIND_SELF_DEADLOCK:
        lgp_format(text, "self-deadlock: a thread waits for a lock that it holds itself");
        break;
    case LGR_KIND_STALL:
        lgp_format(text, "stall: every thread waits for ever");
        break;
    case LGR_KIND_ORDER_CYCLE:
        lgp_format(text, "order-cycle: these locks are taken in opposite orders");
        break;
    default:
        lgp_format(text, finding->text != NULL ? "%s: %s" : "%s: a thread %s",
                   lgp_check_name((enum lgp_check)(finding->kind - 1)),
                   finding->text != NULL ? finding->text : misuses[finding->kind]);
    }
    lgp_format(text, " (problem %u)\n", finding->problem);
}

static void put_finding(struct lgp_text *text, const struct lge_finding *finding, bool briefly) {
    bool actual = finding->verdict == LGR_VERDICT_ACTUAL;
    bool misuse = misuses[finding->kind] != NULL;
    put_title(text, finding);
    if (misuse && !briefly)
        put_misuse(text, finding);
    for (size_t i = 0; !misuse && i < finding->edge_count && (actual || !briefly); i++)
        put_edge(text, &finding->edges[i], actual);
    if (actual && finding->timed)
        lgp_format(text, "  One of them waits with a time limit: it breaks up then.\n");
}

void lgi_put_finding(struct lgp_text *text, const struct lge_finding *finding) {
    put_finding(text, finding, false);
}

/* Deadlocks with their stacks; of a possible one only who wants what, and less
 * where the command is about to tell it with names, as with misuse. */
void lgi_print_finding(const struct lge_finding *finding, void *user) {
    const bool *launcher = user;
    if (finding->severity != LGR_ERROR)
        return;
    char *buffer = lgp_alloc(LGI_FINDING_TEXT);
    if (buffer == NULL)
        return;
    struct lgp_text text = {buffer, LGI_FINDING_TEXT, 0};
    put_finding(&text, finding, *launcher);
    lgp_write(text.buffer, text.length);
    lgp_free(buffer, LGI_FINDING_TEXT);
}
