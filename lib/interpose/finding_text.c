#include "interpose/finding_text.h"

#include <string.h>

#include "engine/context.h"
#include "engine/graph.h"
#include "engine/lock_class.h"
#include "platform/memory.h"
#include "platform/modules.h"
#include "platform/print.h"
#include "platform/system.h"

enum { TEXT_SIZE = 16384, FRAMES_SHOWN = 6 };

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void put_place(struct lgp_text *text, uintptr_t address) {
    struct lgp_module module;
    if (!lgp_module_find(address, &module))
        lgp_format(text, "0x%lx", (unsigned long)address);
    else
        lgp_format(text, "%s+0x%lx", module.path[0] == '\0' ? "main program" : base_name(module.path),
                   (unsigned long)(address - module.bias));
}

static const void *address_of(uint64_t lock_id) {
    lge_table_lock();
    const struct lge_lock *lock = lge_lock_find(lock_id);
    const void *address = lock == NULL ? NULL : lock->address;
    lge_table_unlock();
    return address;
}

static void put_lock(struct lgp_text *text, uint64_t id) {
    const struct lge_class *class = lge_class_get(lge_lock_class(id));
    if (class != NULL && class->kind == LGR_CLASS_NAMED && class->name != NULL) {
        lgp_format(text, "%s ", class->name);
    } else if (class != NULL && class->kind == LGR_CLASS_STATIC) {
        put_place(text, class->variable);
        return;
    }
    lgp_format(text, "lock %p", address_of(id));
}

static void put_stack(struct lgp_text *text, const char *what, uint32_t context_id) {
    const struct lge_context *context = lge_context_get(context_id);
    if (context == NULL)
        return;
    lgp_format(text, "      %s", what);
    for (size_t i = 0; i < context->count && i < FRAMES_SHOWN; i++) {
        lgp_format(text, i == 0 ? " " : " < ");
        put_place(text, context->frames[i]);
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
        put_lock(text, edge->held[i].lock);
    }
}

static void put_edge(struct lgp_text *text, const struct lge_finding_edge *edge, bool actual) {
    lgp_format(text, "  T%u ", edge->thread);
    put_holds(text, edge);
    if (edge->wait_kind == LGR_WAIT_JOIN)
        lgp_format(text, ", waits for T%lu to end\n", (unsigned long)edge->to);
    else if (edge->wait_kind == LGR_WAIT_BARRIER)
        lgp_format(text, ", waits at a barrier\n");
    else {
        lgp_format(text, actual ? ", waits for " : ", wants ");
        put_lock(text, edge->to);
        lgp_format(text, "\n");
    }
    if (!actual)
        return;
    put_stack(text, "waits at", edge->request_context);
    for (uint32_t i = 0; i < edge->held_count; i++)
        put_stack(text, "holds from", edge->held[i].context);
}

static const char *title_of(const struct lge_finding *finding) {
    switch (finding->kind) {
    case LGR_KIND_DEADLOCK:
        return "deadlock: these threads wait for each other";
    case LGR_KIND_SELF_DEADLOCK:
        return "self-deadlock: a thread waits for a lock that it holds itself";
    default:
        return "order-cycle: these locks are taken in opposite orders";
    }
}

/* Deadlocks with their stacks; of a possible one only who wants what, and less
 * where the command is about to tell it with names. */
void lgi_print_finding(const struct lge_finding *finding, void *user) {
    const bool *launcher = user;
    if (finding->severity != LGR_ERROR)
        return;
    char *buffer = lgp_alloc(TEXT_SIZE);
    if (buffer == NULL)
        return;
    struct lgp_text text = {buffer, TEXT_SIZE, 0};
    bool actual = finding->verdict == LGR_VERDICT_ACTUAL;
    lgp_format(&text, "lockgraph[%u]: %s (problem %u)\n", lgp_pid(), title_of(finding), finding->problem);
    for (size_t i = 0; i < finding->edge_count && (actual || !*launcher); i++)
        put_edge(&text, &finding->edges[i], actual);
    if (actual && finding->timed)
        lgp_format(&text, "  One of them waits with a time limit: it breaks up then.\n");
    lgp_write(text.buffer, text.length);
    lgp_free(buffer, TEXT_SIZE);
}
