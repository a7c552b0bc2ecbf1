/* Touches everything a reader hands out, so that a sanitizer sees every byte,
 * and checks what the reader promises whatever the file says.  Shared by the
 * suites and the fuzz target. */
#ifndef LOCKGRAPH_TESTS_RECORD_WALK_H
#define LOCKGRAPH_TESTS_RECORD_WALK_H

#include <stdlib.h>
#include <string.h>

#include "record/reader.h"

#define WALK_REQUIRE(condition)                                                                              \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

static inline uint64_t walk_bytes(const void *bytes, size_t size) {
    uint64_t sum = size;
    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + ((const unsigned char *)bytes)[i];
    return sum;
}

static inline uint64_t walk_string(const char *text) {
    WALK_REQUIRE(text != NULL);
    return walk_bytes(text, strlen(text));
}

static inline uint64_t walk_process(const struct lgr_file *file) {
    const struct lgr_process_info *process = lgr_process(file);
    return walk_string(process->exe) + walk_string(process->cmdline) + walk_string(process->options) +
           walk_string(process->tool) + walk_bytes(lgr_header(file), sizeof(struct lgr_header_copy));
}

static inline uint64_t walk_modules(const struct lgr_file *file) {
    size_t count;
    const struct lgr_module_info *modules = lgr_modules(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(modules[i].id != 0 && lgr_module_by_id(file, modules[i].id) == &modules[i]);
        sum += walk_string(modules[i].path) + walk_bytes(modules[i].build_id, modules[i].build_id_length);
    }
    return sum;
}

static inline uint64_t walk_contexts(const struct lgr_file *file) {
    size_t count;
    const struct lgr_context_info *contexts = lgr_contexts(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(contexts[i].id != 0 && lgr_context_by_id(file, contexts[i].id) == &contexts[i]);
        sum += walk_bytes(contexts[i].frames, contexts[i].frame_count * sizeof contexts[i].frames[0]);
    }
    return sum;
}

static inline uint64_t walk_classes(const struct lgr_file *file) {
    size_t count;
    const struct lgr_class_info *classes = lgr_classes(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(classes[i].id != 0 && lgr_class_by_id(file, classes[i].id) == &classes[i]);
        WALK_REQUIRE(classes[i].kind >= LGR_CLASS_NAMED && classes[i].kind <= LGR_CLASS_GUESS);
        sum += walk_string(classes[i].name);
    }
    return sum;
}

static inline uint64_t walk_locks(const struct lgr_file *file) {
    size_t count;
    const struct lgr_lock_info *locks = lgr_locks(file, &count);
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(locks[i].id != 0 && lgr_lock_by_id(file, locks[i].id) == &locks[i]);
        WALK_REQUIRE(locks[i].kind >= LGR_LOCK_MUTEX && locks[i].kind <= LGR_LOCK_FILE);
    }
    return walk_bytes(locks, count * sizeof *locks);
}

static inline uint64_t walk_threads(const struct lgr_file *file) {
    size_t count;
    const struct lgr_thread_info *threads = lgr_threads(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(threads[i].serial != 0 && lgr_thread_by_serial(file, threads[i].serial) == &threads[i]);
        sum += walk_string(threads[i].name);
    }
    return sum;
}

static inline uint64_t walk_edges(const struct lgr_file *file) {
    uint64_t sum = 0;
    for (size_t i = 0; i < lgr_edge_count(file); i++) {
        const struct lgr_edge *edge = lgr_edge_at(file, i);
        WALK_REQUIRE(edge->mode_from <= LGR_SHARED && edge->mode_to <= LGR_SHARED);
        sum += walk_bytes(edge, sizeof *edge);
    }
    return sum;
}

static inline uint64_t walk_held(const struct lgr_held *held, size_t count) {
    for (size_t i = 0; i < count; i++)
        WALK_REQUIRE(held[i].mode <= LGR_SHARED);
    return walk_bytes(held, count * sizeof *held);
}

static inline uint64_t walk_finding(const struct lgr_finding_info *info) {
    const struct lgr_finding *finding = info->finding;
    WALK_REQUIRE(finding->problem != 0 && finding->verdict <= LGR_VERDICT_ACTUAL);
    WALK_REQUIRE(finding->severity >= LGR_NOTE && finding->severity <= LGR_ERROR);
    WALK_REQUIRE(info->edge_count == finding->edge_count);
    uint64_t sum = info->count;
    for (size_t i = 0; i < info->edge_count; i++) {
        WALK_REQUIRE(info->edges[i].held_count == info->edges[i].edge->held_count);
        sum += walk_bytes(info->edges[i].edge, sizeof *info->edges[i].edge);
        sum += walk_held(info->edges[i].held, info->edges[i].held_count);
    }
    return sum;
}

static inline uint64_t walk_findings(const struct lgr_file *file) {
    size_t count;
    const struct lgr_finding_info *findings = lgr_findings(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(i == 0 || findings[i - 1].finding->problem < findings[i].finding->problem);
        sum += walk_finding(&findings[i]);
    }
    return sum;
}

static inline uint64_t walk_states(const struct lgr_file *file) {
    size_t count;
    const struct lgr_thread_state *states = lgr_thread_states(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        WALK_REQUIRE(states[i].serial != 0 && states[i].sequence % 2 == 0);
        size_t listed = states[i].held_count < LGR_STATE_HELD ? states[i].held_count : LGR_STATE_HELD;
        sum += walk_held(states[i].held, listed);
    }
    return sum;
}

static inline uint64_t walk_messages(const struct lgr_file *file) {
    size_t count;
    const struct lgr_message_info *messages = lgr_messages(file, &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += walk_string(messages[i].text);
    return sum;
}

static inline uint64_t walk_usages(const struct lgr_file *file) {
    uint64_t sum = 0;
    for (size_t i = 0; i < lgr_usage_count(file); i++) {
        const struct lgr_usage *usage = lgr_usage_at(file, i);
        WALK_REQUIRE(usage->class_id != 0);
        sum += walk_bytes(usage, sizeof *usage);
    }
    return sum;
}

static inline uint64_t walk_spans(const struct lgr_file *file) {
    size_t count;
    const struct lgr_span *spans = lgr_spans(file, &count);
    uint64_t sum = lgr_spans_least(file);
    for (size_t i = 0; i < count; i++)
        sum += walk_bytes(&spans[i], sizeof spans[i]);
    return sum;
}

static inline uint64_t walk_thread_waits(const struct lgr_file *file) {
    uint64_t sum = 0;
    for (size_t i = 0; i < lgr_thread_waits_count(file); i++)
        sum += walk_bytes(lgr_thread_waits_at(file, i), sizeof(struct lgr_thread_waits));
    return sum;
}

static inline uint64_t walk_file(const struct lgr_file *file) {
    return walk_process(file) + walk_modules(file) + walk_contexts(file) + walk_classes(file) +
           walk_locks(file) + walk_threads(file) + walk_edges(file) + walk_findings(file) +
           walk_states(file) + walk_messages(file) + walk_usages(file) + walk_thread_waits(file) +
           walk_spans(file) + lgr_damaged(file) + lgr_unknown(file);
}

/* Opens a buffer, walks it, and insists that a refusal says why. */
static inline uint64_t walk_buffer(const void *data, size_t size) {
    char error[256] = "";
    struct lgr_file *file = lgr_open_memory(data, size, error, sizeof error);
    WALK_REQUIRE((file == NULL) == (error[0] != '\0'));
    if (!file)
        return 0;
    uint64_t sum = walk_file(file);
    lgr_close(file);
    return sum | 1;
}

#endif
