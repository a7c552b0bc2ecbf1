/* The records that change in place: findings and thread states. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "record/reader_model.h"

#define STATE_ATTEMPTS 64

/* Values that a later version may add. */
static bool known_edge(const struct lgr_finding_edge *edge) {
    return edge->mode_from <= LGR_SHARED && edge->mode_to <= LGR_SHARED && edge->wait_kind <= LGR_WAIT_ONCE;
}

static bool known_held(const struct lgr_held *held, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (held[i].mode > LGR_SHARED)
            return false;
    return true;
}

static enum lgr_outcome take_edge(struct lgr_rest *rest, struct lgr_finding_edge_info *info) {
    const struct lgr_finding_edge *edge = lgr_take(rest, sizeof *edge);
    if (!edge || edge->held_count > rest->left / sizeof(struct lgr_held))
        return LGR_READ_DAMAGED;
    const struct lgr_held *held = lgr_take(rest, edge->held_count * sizeof(struct lgr_held));
    if (!known_edge(edge) || !known_held(held, edge->held_count))
        return LGR_READ_UNKNOWN;
    *info = (struct lgr_finding_edge_info){edge, held, edge->held_count};
    return LGR_READ_OK;
}

/* An older writer had none. */
static const char *take_text(struct lgr_file *file, struct lgr_rest *rest) {
    const uint32_t *length = lgr_take(rest, sizeof *length);
    return length == NULL ? NULL : lgr_take_string(file, rest, *length);
}

static enum lgr_outcome take_edges(struct lgr_file *file, const struct lgr_finding *finding,
                                   struct lgr_finding_info *info) {
    struct lgr_rest rest = lgr_rest_after(&finding->record, sizeof *finding);
    size_t room = rest.left / sizeof(struct lgr_finding_edge);
    struct lgr_finding_edge_info *edges = NULL;
    if (finding->edge_count > room)
        return LGR_READ_DAMAGED;
    if (finding->edge_count && !(edges = lgr_keep(file, finding->edge_count * sizeof *edges)))
        return LGR_READ_NO_MEMORY;
    for (size_t i = 0; i < finding->edge_count; i++) {
        enum lgr_outcome outcome = take_edge(&rest, &edges[i]);
        if (outcome != LGR_READ_OK)
            return outcome;
    }
    if (finding->kind == LGR_KIND_STALL)
        info->since = lgr_take(&rest, finding->edge_count * sizeof *info->since);
    if (finding->kind == LGR_KIND_USER)
        info->text = take_text(file, &rest);
    info->edges = edges;
    info->edge_count = finding->edge_count;
    return LGR_READ_OK;
}

/* A kind of a later version is passed on: it is a finding all the same, and
 * its severity counts. */
enum lgr_outcome lgr_read_finding(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_finding *finding = (const void *)record;
    if (finding->problem == 0 || finding->severity < LGR_NOTE || finding->severity > LGR_ERROR)
        return LGR_READ_DAMAGED;
    if (finding->verdict > LGR_VERDICT_ACTUAL)
        return LGR_READ_UNKNOWN;
    struct lgr_finding_info info = {.finding = finding, .count = finding->count};
    enum lgr_outcome outcome = take_edges(file, finding, &info);
    if (outcome != LGR_READ_OK)
        return outcome;
    struct lgr_finding_info *place = lgr_table_add(&file->findings);
    if (!place)
        return LGR_READ_NO_MEMORY;
    *place = info;
    return LGR_READ_OK;
}

static bool read_part(const struct lgr_source *source, void *to, size_t size, size_t offset) {
    ssize_t done;
    do
        done = pread(source->descriptor, to, size, (off_t)offset);
    while (done < 0 && errno == EINTR);
    return done == (ssize_t)size;
}

/* Three readings, since one is no atomic copy: the owner wrote nothing between
 * the first and the third when both saw one even sequence. */
static bool copy_live(const struct lgr_source *source, size_t offset, struct lgr_thread_state *state) {
    size_t sequence_at = offset + offsetof(struct lgr_thread_state, sequence);
    for (int attempt = 0; attempt < STATE_ATTEMPTS; attempt++) {
        uint32_t before, after;
        if (!read_part(source, &before, sizeof before, sequence_at))
            return false;
        if (before % 2 != 0)
            continue;
        atomic_thread_fence(memory_order_acquire);
        if (!read_part(source, state, sizeof *state, offset))
            return false;
        atomic_thread_fence(memory_order_acquire);
        if (!read_part(source, &after, sizeof after, sequence_at))
            return false;
        if (before == after)
            return true;
    }
    return false;
}

static bool copy_state(const struct lgr_file *file, const struct lgr_record *record,
                       struct lgr_thread_state *state) {
    if (file->source->descriptor >= 0)
        return copy_live(file->source, file->at, state);
    memcpy((void *)state, record, sizeof *state);
    return state->sequence % 2 == 0;
}

/* A state that is being written all the time, or whose owner was killed while
 * it wrote, is left out: that is no damage. */
enum lgr_outcome lgr_read_thread_state(struct lgr_file *file, const struct lgr_record *record) {
    struct lgr_thread_state state;
    if (!copy_state(file, record, &state) || state.serial == 0)
        return LGR_READ_OK;
    size_t listed = state.held_count < LGR_STATE_HELD ? state.held_count : LGR_STATE_HELD;
    if (state.wait_kind > LGR_WAIT_ONCE || !known_held(state.held, listed))
        return LGR_READ_UNKNOWN;
    struct lgr_thread_state *place = lgr_table_add(&file->states);
    if (!place)
        return LGR_READ_NO_MEMORY;
    memcpy((void *)place, (const void *)&state, sizeof state);
    return LGR_READ_OK;
}
