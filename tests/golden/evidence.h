/* Builds small evidence files by hand, one call per record, so that reports
 * can be tested without a runtime and with fixed times and process ids. */
#ifndef LOCKGRAPH_GOLDEN_EVIDENCE_H
#define LOCKGRAPH_GOLDEN_EVIDENCE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/format.h"

#define EVIDENCE_SIZE ((size_t)64 * 1024)
/* Above the kernel's largest process id: certainly not running. */
#define EVIDENCE_PID   5000001u
#define EVIDENCE_START 1700000000123000000u /* 2023-11-14 22:13:20.123 UTC */

struct evidence {
    _Alignas(8) unsigned char bytes[EVIDENCE_SIZE];
    size_t used;
};

static inline struct lgr_header *evidence_header(struct evidence *evidence) {
    return (struct lgr_header *)(void *)evidence->bytes;
}

static inline void *evidence_record(struct evidence *evidence, uint16_t type, size_t size) {
    size = (size + LGR_ALIGN - 1) / LGR_ALIGN * LGR_ALIGN;
    if (size > EVIDENCE_SIZE - evidence->used)
        abort();
    struct lgr_record *record = (struct lgr_record *)(void *)(evidence->bytes + evidence->used);
    record->size = (uint32_t)size;
    record->type = type;
    evidence->used += size;
    return record;
}

static inline struct evidence *evidence_begin(const char *exe, const char *command_line) {
    struct evidence *evidence = calloc(1, sizeof *evidence);
    struct lgr_header *header = evidence_header(evidence);
    memcpy(header->magic, LGR_MAGIC, sizeof header->magic);
    header->version = LGR_VERSION;
    header->word_size = sizeof(void *);
    header->endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    header->machine = 62;
    header->header_size = sizeof *header;
    header->pid = EVIDENCE_PID;
    header->ppid = 1;
    header->start_realtime_ns = EVIDENCE_START;
    evidence->used = sizeof *header;
    struct lgr_process *process =
        evidence_record(evidence, LGR_PROCESS, sizeof *process + strlen(exe) + strlen(command_line));
    process->exe_length = (uint32_t)strlen(exe);
    process->cmdline_length = (uint32_t)strlen(command_line);
    memcpy(process + 1, exe, strlen(exe));
    memcpy((char *)(process + 1) + strlen(exe), command_line, strlen(command_line));
    return evidence;
}

static inline void evidence_end(struct evidence *evidence, int status) {
    struct lgr_header *header = evidence_header(evidence);
    header->end_realtime_ns = EVIDENCE_START + 3200000000u;
    header->ended = LGR_EXITED;
    header->exit_status = status;
}

static inline void evidence_coverage(struct evidence *evidence, uint64_t locks, uint64_t threads,
                                     uint64_t nested) {
    struct lgr_header *header = evidence_header(evidence);
    header->locks = locks;
    header->threads = threads;
    header->nested_acquisitions = nested;
    header->contended = nested / 100;
    header->instance_edges = locks;
}

static inline void evidence_module(struct evidence *evidence, uint32_t id, const char *path, uint64_t start,
                                   uint64_t end, uint64_t bias) {
    struct lgr_module *module = evidence_record(evidence, LGR_MODULE, sizeof *module + strlen(path));
    module->id = id;
    module->start = start;
    module->end = end;
    module->bias = bias;
    module->path_length = (uint32_t)strlen(path);
    memcpy(module + 1, path, strlen(path));
}

static inline void evidence_context(struct evidence *evidence, uint32_t id, uint32_t module,
                                    const uint64_t *offsets, uint32_t count, uint32_t flags) {
    struct lgr_context *context =
        evidence_record(evidence, LGR_CONTEXT, sizeof *context + count * sizeof context->frames[0]);
    context->id = id;
    context->frame_count = count;
    context->flags = flags;
    for (uint32_t i = 0; i < count; i++)
        context->frames[i] = (struct lgr_location){.module = module, .offset = offsets[i]};
}

static inline struct lgr_class *evidence_class(struct evidence *evidence, uint32_t id,
                                               enum lgr_class_kind kind, const char *name) {
    struct lgr_class *class = evidence_record(evidence, LGR_CLASS, sizeof *class + strlen(name));
    class->id = id;
    class->kind = (uint16_t)kind;
    class->level = INT16_MIN;
    class->name_length = (uint32_t)strlen(name);
    memcpy(class + 1, name, strlen(name));
    return class;
}

static inline struct lgr_lock *evidence_lock(struct evidence *evidence, uint64_t id, uint32_t class_id,
                                             enum lgr_lock_kind kind) {
    struct lgr_lock *lock = evidence_record(evidence, LGR_LOCK, sizeof *lock);
    lock->id = id;
    lock->address = 0x7000000000u + id * 64;
    lock->class_id = class_id;
    lock->kind = (uint16_t)kind;
    return lock;
}

static inline struct lgr_thread *evidence_thread(struct evidence *evidence, uint32_t serial,
                                                 const char *name) {
    struct lgr_thread *thread = evidence_record(evidence, LGR_THREAD, sizeof *thread + strlen(name));
    thread->serial = serial;
    thread->tid = EVIDENCE_PID + serial - 1;
    thread->parent = serial > 1;
    thread->name_length = (uint32_t)strlen(name);
    memcpy(thread + 1, name, strlen(name));
    return thread;
}

static inline void evidence_edge(struct evidence *evidence, uint32_t from, uint32_t to, uint32_t held,
                                 uint32_t request) {
    struct lgr_edge *edge = evidence_record(evidence, LGR_EDGE, sizeof *edge);
    edge->from_class = from;
    edge->to_class = to;
    edge->from_lock = from;
    edge->to_lock = to;
    edge->thread = 2;
    edge->held_context = held;
    edge->request_context = request;
}

/* A ring edge whose locks have the ids of their classes and whose held stack
 * is the lock itself, unless changed afterwards. */
static inline void ring_edge(struct lgr_finding_edge *edge, uint32_t thread, uint32_t from, uint32_t to,
                             uint32_t held, uint32_t request) {
    *edge = (struct lgr_finding_edge){.from = from,
                                      .to = to,
                                      .from_class = from,
                                      .to_class = to,
                                      .thread = thread,
                                      .tid = EVIDENCE_PID + thread - 1,
                                      .held_context = held,
                                      .request_context = request,
                                      .wait_kind = LGR_WAIT_LOCK,
                                      .held_count = 1};
}

static inline struct lgr_finding *evidence_finding(struct evidence *evidence, enum lgr_kind kind,
                                                   enum lgr_verdict verdict, enum lgr_severity severity,
                                                   const struct lgr_finding_edge *edges, uint16_t count) {
    struct lgr_header *header = evidence_header(evidence);
    size_t one = sizeof(struct lgr_finding_edge) + sizeof(struct lgr_held);
    struct lgr_finding *finding = evidence_record(evidence, LGR_FINDING, sizeof *finding + count * one);
    finding->problem = ++header->findings;
    finding->kind = (uint16_t)kind;
    finding->verdict = (uint8_t)verdict;
    finding->severity = (uint8_t)severity;
    finding->time_realtime_ns = EVIDENCE_START + 1000000000u;
    finding->count = 1;
    finding->edge_count = count;
    header->deadlocks += verdict == LGR_VERDICT_ACTUAL;
    unsigned char *at = (unsigned char *)(finding + 1);
    for (uint16_t i = 0; i < count; i++, at += one) {
        struct lgr_held held = {.lock = edges[i].from, .context = edges[i].held_context};
        memcpy(at, &edges[i], sizeof edges[i]);
        if (edges[i].held_count == 0)
            at -= sizeof held;
        else
            memcpy(at + sizeof edges[i], &held, sizeof held);
    }
    return finding;
}

/* Behind the edges of a stall: since when each of them waits. */
static inline void evidence_since(struct evidence *evidence, struct lgr_finding *finding,
                                  const struct lgr_finding_edge *edges, const uint64_t *since) {
    size_t size = sizeof *finding;
    for (uint16_t i = 0; i < finding->edge_count; i++)
        size += sizeof edges[i] + (edges[i].held_count ? sizeof(struct lgr_held) : 0);
    memcpy((unsigned char *)finding + size, since, finding->edge_count * sizeof *since);
    size += finding->edge_count * sizeof *since;
    if (size > finding->record.size) {
        evidence->used += size - finding->record.size;
        finding->record.size = (uint32_t)size;
    }
}

static inline void evidence_wait(struct evidence *evidence, uint32_t serial, enum lgr_wait_kind kind,
                                 uint64_t target, uint32_t context, uint32_t owner) {
    struct lgr_thread_state *state = evidence_record(evidence, LGR_THREAD_STATE, sizeof *state);
    state->serial = serial;
    state->wait_kind = kind;
    state->wait_context = context;
    state->target = target;
    state->since_realtime_ns = EVIDENCE_START + 1500000000u;
    state->owner = owner;
}

/* Writes the file and frees the evidence. */
static inline void evidence_save(struct evidence *evidence, const char *path) {
    FILE *stream = fopen(path, "w");
    /* Some space not yet written follows, as in a file that is being written. */
    size_t size = evidence->used + 64 < EVIDENCE_SIZE ? evidence->used + 64 : evidence->used;
    if (!stream || fwrite(evidence->bytes, 1, size, stream) != size || fclose(stream) != 0)
        abort();
    free(evidence);
}

#endif
