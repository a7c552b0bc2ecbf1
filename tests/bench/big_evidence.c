/* Writes an evidence file as large as wanted, to measure the command with: as a long run of a
 * program with many call stacks leaves one, most of its bytes are contexts.
 *
 * usage: big_evidence OUT MEGABYTES SEED FINDINGS DEPTH MODULE TEXT_START TEXT_END
 *
 * Frames are addresses in the text of MODULE (an ELF file with or without debug information; the
 * range as `readelf -SW` gives it, in hex), DEPTH of them for each stack.  Every finding has four
 * stacks of its own.  Built as build/tests/big_evidence. */
#include <elf.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/format.h"

#define CLASSES 200u
#define THREADS 64u
#define START   1700000000000000000u

static FILE *out;
static uint64_t offset, seed, text_start, text_end;
static uint32_t contexts, locks, depth;

static uint64_t random_below(uint64_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % limit;
}

static void put(const void *bytes, size_t size) {
    if (fwrite(bytes, size, 1, out) != 1) {
        perror("big_evidence");
        exit(1);
    }
    offset += size;
}

/* No record crosses a chunk. */
static void put_record(void *bytes, size_t size, uint16_t type) {
    static const char zeros[LGR_CHUNK];
    struct lgr_record *record = bytes;
    size_t rounded = (size + LGR_ALIGN - 1) / LGR_ALIGN * LGR_ALIGN, left = LGR_CHUNK - offset % LGR_CHUNK;
    if (left < rounded) {
        struct lgr_record pad = {.size = (uint32_t)left, .type = LGR_PAD};
        put(&pad, sizeof pad);
        if (left > sizeof pad)
            put(zeros, left - sizeof pad);
    }
    *record = (struct lgr_record){.size = (uint32_t)rounded, .type = type};
    put(record, rounded);
}

static uint32_t put_context(uint32_t frames) {
    static uint64_t room[1024];
    struct lgr_context *context = (struct lgr_context *)(void *)room;
    context->id = ++contexts;
    context->frame_count = frames;
    for (uint32_t i = 0; i < frames; i++)
        context->frames[i] =
            (struct lgr_location){.module = 1, .offset = text_start + random_below(text_end - text_start)};
    put_record(context, sizeof *context + frames * sizeof *context->frames, LGR_CONTEXT);
    return contexts;
}

static uint64_t put_lock(void) {
    locks++;
    struct lgr_lock lock = {.id = locks,
                            .address = 0x700000000000u + 64u * (uint64_t)locks,
                            .class_id = 1 + (uint32_t)random_below(CLASSES),
                            .kind = LGR_LOCK_MUTEX};
    put_record(&lock, sizeof lock, LGR_LOCK);
    return locks;
}

static void put_edge(void) {
    struct lgr_edge edge = {.from_class = 1 + (uint32_t)random_below(CLASSES),
                            .to_class = 1 + (uint32_t)random_below(CLASSES),
                            .from_lock = put_lock(),
                            .to_lock = 1 + random_below(locks),
                            .thread = 1 + (uint32_t)random_below(THREADS),
                            .held_context = put_context(depth),
                            .request_context = put_context(depth)};
    put_record(&edge, sizeof edge, LGR_EDGE);
}

static void *put_finding_edge(struct lgr_finding_edge *edge, uint64_t from, uint64_t to) {
    *edge = (struct lgr_finding_edge){.from = from,
                                      .to = to,
                                      .from_class = 1 + (uint32_t)random_below(CLASSES),
                                      .to_class = 1 + (uint32_t)random_below(CLASSES),
                                      .thread = 1 + (uint32_t)random_below(THREADS),
                                      .tid = 4000000,
                                      .held_context = put_context(depth),
                                      .request_context = put_context(depth),
                                      .wait_kind = LGR_WAIT_LOCK,
                                      .held_count = 1};
    edge->held[0] = (struct lgr_held){.lock = from, .context = edge->held_context};
    return &edge->held[1];
}

static void put_finding(uint32_t number) {
    static uint64_t room[64];
    struct lgr_finding *finding = (struct lgr_finding *)(void *)room;
    uint64_t a = put_lock(), b = put_lock();
    finding->problem = number;
    finding->kind = LGR_KIND_ORDER_CYCLE;
    finding->verdict = LGR_VERDICT_FEASIBLE;
    finding->severity = LGR_ERROR;
    finding->time_realtime_ns = START + number;
    finding->count = 1;
    finding->edge_count = 2;
    char *end = put_finding_edge(put_finding_edge((void *)(finding + 1), a, b), b, a);
    put_record(finding, (size_t)(end - (char *)finding), LGR_FINDING);
}

static void put_classes(void) {
    for (uint32_t i = 1; i <= CLASSES; i++) {
        struct {
            struct lgr_class class;
            char name[16];
        } record = {.class = {.id = i, .kind = LGR_CLASS_NAMED, .level = INT16_MIN}};
        if (i % 2)
            record.class.name_length = (uint32_t)snprintf(record.name, sizeof record.name, "class%u", i);
        else
            record.class.kind = LGR_CLASS_INIT, record.class.context = put_context(depth);
        put_record(&record, sizeof record.class + record.class.name_length, LGR_CLASS);
    }
}

static void put_threads(void) {
    for (uint32_t i = 1; i <= THREADS; i++) {
        struct {
            struct lgr_thread thread;
            char name[16];
        } record = {.thread = {.serial = i, .tid = 4000000 + i, .parent = i > 1}};
        record.thread.name_length = (uint32_t)snprintf(record.name, sizeof record.name, "worker%u", i);
        put_record(&record, sizeof record.thread + record.thread.name_length, LGR_THREAD);
    }
}

/* Its build id, 0 bytes without one. */
static size_t build_id_of(const char *module, unsigned char *id, size_t room) {
    static unsigned char bytes[1 << 16];
    FILE *file = fopen(module, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0, length = 0;
    if (file)
        fclose(file);
    const ElfW(Ehdr) *header = (const void *)bytes;
    for (unsigned i = 0; size > sizeof *header && i < header->e_phnum; i++) {
        const ElfW(Phdr) *part = (const void *)(bytes + header->e_phoff + i * sizeof *part);
        if (part->p_type != PT_NOTE || part->p_offset + part->p_filesz > size)
            continue;
        for (size_t at = part->p_offset; at + sizeof(ElfW(Nhdr)) < part->p_offset + part->p_filesz;) {
            const ElfW(Nhdr) *note = (const void *)(bytes + at);
            size_t name = (note->n_namesz + 3u) & ~3u, text = (note->n_descsz + 3u) & ~3u;
            if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= room)
                memcpy(id, bytes + at + sizeof *note + name, length = note->n_descsz);
            at += sizeof *note + name + text;
        }
    }
    return length;
}

static void put_start(const char *module) {
    static struct {
        struct lgr_module module;
        char text[5000];
    } record;
    struct lgr_header header = {.version = LGR_VERSION,
                                .word_size = sizeof(void *),
                                .endian = LGR_LITTLE_ENDIAN,
                                .machine = EM_X86_64,
                                .header_size = sizeof header,
                                .pid = 5000000u + (uint32_t)(seed % 10000000),
                                .ppid = 1,
                                .start_realtime_ns = START,
                                .end_realtime_ns = START + 1,
                                .ended = LGR_EXITED,
                                .locks = 1000,
                                .threads = THREADS};
    memcpy(header.magic, LGR_MAGIC, sizeof header.magic);
    put(&header, sizeof header);
    struct lgr_process process = {.exe_length = 0};
    put_record(&process, sizeof process, LGR_PROCESS);
    record.module =
        (struct lgr_module){.id = 1, .end = UINT64_C(1) << 40, .path_length = (uint32_t)strlen(module)};
    record.module.build_id_length = (uint32_t)build_id_of(module, (unsigned char *)record.text, 64);
    memcpy(record.text + record.module.build_id_length, module, strlen(module));
    put_record(&record, sizeof record.module + record.module.build_id_length + strlen(module), LGR_MODULE);
}

int main(int count, char **arguments) {
    if (count != 9 || !(out = fopen(arguments[1], "wb"))) {
        fprintf(stderr, "usage: big_evidence OUT MEGABYTES SEED FINDINGS DEPTH MODULE TEXT_START TEXT_END\n");
        return 2;
    }
    uint64_t size = strtoull(arguments[2], NULL, 10) << 20;
    uint32_t findings = (uint32_t)strtoul(arguments[4], NULL, 10);
    seed = 0x9e3779b97f4a7c15u ^ (strtoull(arguments[3], NULL, 10) * 0x2545f4914f6cdd1du);
    depth = (uint32_t)strtoul(arguments[5], NULL, 10) % 256;
    text_start = strtoull(arguments[7], NULL, 16);
    text_end = strtoull(arguments[8], NULL, 16);
    put_start(arguments[6]);
    put_classes();
    put_threads();
    for (uint32_t i = 1; i <= findings; i++)
        put_finding(i);
    while (offset < size)
        put_edge();
    return fclose(out) == 0 ? 0 : 1;
}
