/* Records of merged files by themselves: order, ids, soundness. */
#include <string.h>

#include "record/format.h"
#include "record/merged.h"

int lgm_compare(const struct lgm_record *a, const struct lgm_record *b) {
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    size_t left = lgm_key_size(a), right = lgm_key_size(b);
    int keys = memcmp(lgm_key(a), lgm_key(b), left < right ? left : right);
    return keys ? keys : (left > right) - (left < right);
}

/* Two multiplying mixers over the words of the key, each fed by the other. */
static void mix(struct lgm_id *id, uint64_t word) {
    id->word[0] = (id->word[0] ^ word) * 0x9e3779b97f4a7c15u;
    id->word[0] ^= id->word[0] >> 32;
    id->word[1] = (id->word[1] + (word << 31 | word >> 33) + id->word[0]) * 0xc2b2ae3d27d4eb4fu;
    id->word[1] ^= id->word[1] >> 29;
}

struct lgm_id lgm_id_of(const struct lgm_record *record) {
    struct lgm_id id = {{0x243f6a8885a308d3u ^ record->type, 0x13198a2e03707344u}};
    const unsigned char *key = lgm_key(record);
    size_t size = lgm_key_size(record);
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, key + at, sizeof word);
        mix(&id, word);
    }
    mix(&id, size);
    return id;
}

void lgm_join(struct lgm_record *into, const struct lgm_record *other) {
    uint64_t *to = lgm_figures(into);
    const uint64_t *from = lgm_figures(other);
    for (size_t i = 0; i < into->figures && i < other->figures; i++)
        if (from[i] > to[i])
            to[i] = from[i];
}

/* ---- soundness ---- */

static const struct {
    size_t fixed;
    uint16_t figures;
} forms[] = {
    [LGM_MODULE] = {sizeof(struct lgm_module), 0},
    [LGM_CONTEXT] = {sizeof(struct lgm_context), 0},
    [LGM_CLASS] = {sizeof(struct lgm_class), 0},
    [LGM_LOCK] = {sizeof(struct lgm_lock), 0},
    [LGM_THREAD] = {sizeof(struct lgm_thread), 0},
    [LGM_SOURCE] = {sizeof(struct lgm_source), LGM_SOURCE_FIGURES},
    [LGM_EDGE] = {sizeof(struct lgm_edge), 0},
    [LGM_SEEN] = {sizeof(struct lgm_seen), 0},
    [LGM_FINDING] = {sizeof(struct lgm_finding), 0},
    [LGM_COUNT] = {sizeof(struct lgm_count), 2},
    [LGM_LEVEL] = {sizeof(struct lgm_level), 0},
    [LGM_END] = {sizeof(struct lgm_end), 0},
};

/* Bytes that the lists and strings of the record need; a value above `room` when the
 * edges of a finding do not fit. */
static uint64_t finding_tail(const struct lgm_finding *finding, size_t room) {
    uint64_t used = 0;
    for (uint32_t i = 0; i < finding->edge_count; i++) {
        struct lgm_finding_edge edge;
        if (room - used < sizeof edge)
            return UINT64_MAX;
        memcpy(&edge, (const unsigned char *)(finding + 1) + used, sizeof edge);
        used += sizeof edge + (uint64_t)edge.held_count * sizeof(struct lgm_held);
        if (used > room || edge.mode_from > LGR_SHARED || edge.mode_to > LGR_SHARED ||
            edge.wait_kind > LGR_WAIT_ONCE)
            return UINT64_MAX;
    }
    return used + finding->text_length;
}

static uint64_t tail_of(const struct lgm_record *record, size_t room) {
    const void *key = lgm_key(record);
    const struct lgm_module *module = key;
    const struct lgm_context *context = key;
    const struct lgm_class *class = key;
    const struct lgm_thread *thread = key;
    const struct lgm_source *source = key;
    const struct lgm_level *level = key;
    switch (record->type) {
    case LGM_MODULE:
        return (uint64_t)module->build_id_length + module->path_length;
    case LGM_CONTEXT:
        return (uint64_t)context->frame_count * sizeof(struct lgm_frame);
    case LGM_CLASS:
        return class->name_length;
    case LGM_THREAD:
        return thread->name_length;
    case LGM_SOURCE:
        return (uint64_t)source->exe_length + source->cmdline_length;
    case LGM_LEVEL:
        return level->name_length;
    case LGM_FINDING:
        return finding_tail(key, room);
    default:
        return 0;
    }
}

static bool values_are_known(const struct lgm_record *record) {
    const struct lgm_edge *edge = lgm_key(record);
    const struct lgm_class *class = lgm_key(record);
    const struct lgm_finding *finding = lgm_key(record);
    const struct lgm_level *level = lgm_key(record);
    switch (record->type) {
    case LGM_EDGE:
        return edge->mode_from <= LGR_SHARED && edge->mode_to <= LGR_SHARED;
    case LGM_LEVEL:
        return level->level > 0;
    case LGM_CLASS:
        return class->kind >= LGR_CLASS_NAMED && class->kind <= LGR_CLASS_GUESS;
    case LGM_FINDING:
        return finding->severity >= LGR_NOTE && finding->severity <= LGR_ERROR &&
               finding->verdict <= LGR_VERDICT_ACTUAL && finding->edge_count <= UINT16_MAX;
    default:
        return true;
    }
}

bool lgm_is_sound(const struct lgm_record *record, size_t room) {
    if (room < sizeof *record || record->size > room || record->size % sizeof(uint64_t) ||
        record->size < sizeof *record || record->type == 0 || record->type >= sizeof forms / sizeof *forms ||
        record->figures != forms[record->type].figures)
        return false;
    size_t fixed = forms[record->type].fixed, figures = record->figures * sizeof(uint64_t);
    if (record->size - sizeof *record < fixed + figures)
        return false;
    size_t rest = lgm_key_size(record) - fixed;
    uint64_t tail = tail_of(record, rest);
    return tail <= rest && rest - tail < sizeof(uint64_t) && values_are_known(record);
}

const char *lgm_header_problem(const struct lgm_header *header) {
    unsigned ours = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    if (memcmp(header->magic, LGM_MAGIC, sizeof header->magic) != 0)
        return "is no merged file (no " LGM_MAGIC " at byte 0); give a file of lockgraph merge";
    if (header->endian != ours)
        return "was written on a machine of another byte order, or is damaged (byte 10); merge it there";
    if (header->version != LGM_VERSION)
        return "was written by another version of lockgraph merge (byte 8); use that version";
    return NULL;
}
