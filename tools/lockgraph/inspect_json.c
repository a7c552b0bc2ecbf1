#include "inspect_words.h"
#include "json_parts.h"
#include "version.h"

static json_t *number_or_null(uint64_t number) {
    return number ? json_integer((json_int_t)number) : json_null();
}

static json_t *wait_object(const struct snapshot_wait *wait) {
    if (wait->object == WAITS_NOT)
        return json_null();
    return json_packed(
        "{s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o}", "for", wait_object_name(wait->object), "name", wait->name,
        "address", wait->address ? json_sprintf("0x%llx", (unsigned long long)wait->address) : json_null(),
        "limited", wait->limited, "shared", wait->shared, "owner", number_or_null(wait->owner), "readers",
        number_or_null(wait->readers), "deadlock", number_or_null(wait->cycle));
}

static json_t *threads(const struct snapshot *snapshot, const struct stack *stacks,
                       const struct snapshot_waits *waits) {
    json_t *list = json_array();
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        const struct snapshot_thread *thread = &snapshot->threads[i];
        char state[2] = {thread->state, '\0'};
        json_array_append_new(list,
                              json_packed("{s:I, s:s, s:o, s:o, s:o}", "tid", (json_int_t)thread->tid, "name",
                                          thread->name, "state", json_text(*state ? state : NULL), "wait",
                                          wait_object(&waits->waits[i]), "stack", json_stack(&stacks[i])));
    }
    return list;
}

static json_t *deadlocks(const struct snapshot *snapshot, const struct snapshot_waits *waits) {
    json_t *list = json_array();
    for (size_t i = 0; i < waits->cycle_count; i++) {
        json_t *ring = json_array();
        size_t at = waits->cycles[i].first;
        for (size_t n = 0; n < waits->cycles[i].length; n++, at = waits->waits[at].next)
            json_array_append_new(ring, json_integer((json_int_t)snapshot->threads[at].tid));
        json_array_append_new(
            list, json_packed("{s:o, s:b}", "threads", ring, "limited", waits->cycles[i].limited));
    }
    return list;
}

void inspect_json(struct text *out, struct snapshot *snapshot, const struct stack *stacks,
                  const struct snapshot_waits *waits) {
    json_t *root =
        json_packed("{s:s, s:{s:s, s:s}, s:i, s:s, s:I, s:o, s:o}", "schema", "lockgraph-inspect/1", "tool",
                    "name", "lockgraph", "version", LOCKGRAPH_VERSION, "pid", (int)snapshot->pid, "program",
                    snapshot->program, "stopped_us", (json_int_t)snapshot->stopped_us, "deadlocks",
                    deadlocks(snapshot, waits), "threads", threads(snapshot, stacks, waits));
    json_write_as(out, root, JSON_INDENT(2));
    text_add(out, "\n");
}
