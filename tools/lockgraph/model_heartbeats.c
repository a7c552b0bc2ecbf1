#include "model_heartbeats.h"

static const struct lgr_thread_state *state_of(const struct lgr_file *file, uint32_t serial) {
    size_t count;
    const struct lgr_thread_state *states = lgr_thread_states(file, &count);
    for (size_t i = 0; i < count; i++)
        if (states[i].serial == serial && states[i].wait_kind != LGR_WAIT_NONE)
            return &states[i];
    return NULL;
}

/* The thread's wait with its locks, where it waits; else its last heartbeat. */
static void tell_place(struct lgr_finding *finding, struct lgr_finding_edge *edge,
                       struct lgr_finding_edge_info *info, const struct lgr_thread_state *state) {
    enum lgr_heartbeat_detail detail = state ? LGR_HEARTBEAT_WAITS : LGR_HEARTBEAT_LAST;
    finding->reason_id |= (uint64_t)detail << LGR_HEARTBEAT_SHIFT;
    if (!state)
        return;
    edge->request_context = state->wait_context;
    info->held = state->held;
    info->held_count = state->held_count < LGR_STATE_HELD ? state->held_count : LGR_STATE_HELD;
    if (info->held_count == 0)
        return;
    edge->from = state->held[info->held_count - 1].lock;
    edge->held_context = state->held[info->held_count - 1].context;
}

static uint64_t when(const struct lgr_file *file, uint64_t monotonic_ns) {
    const struct lgr_header_copy *header = lgr_header(file);
    return header->start_realtime_ns + (monotonic_ns - header->start_monotonic_ns);
}

bool missing_heartbeat(struct pool *pool, const struct lgr_file *file, const struct lgr_heartbeat *heartbeat,
                       struct lgr_finding_info *info) {
    enum { NS_PER_MS = 1000000 };
    if (heartbeat->missed != LGR_MISSED_SEEN || heartbeat->serial == 0 || heartbeat->last_ns == 0)
        return false;
    struct lgr_finding *finding = pool_alloc(pool, sizeof *finding);
    struct lgr_finding_edge *edge = pool_alloc(pool, sizeof *edge);
    struct lgr_finding_edge_info *edge_info = pool_alloc(pool, sizeof *edge_info);
    finding->kind = LGR_KIND_HEARTBEAT_MISSED;
    finding->severity = (uint8_t)heartbeat->severity;
    finding->time_realtime_ns = when(file, heartbeat->last_ns + heartbeat->limit_ns);
    finding->reason_kind = LGR_REASON_DETAIL;
    finding->reason_id = (uint32_t)(heartbeat->limit_ns / NS_PER_MS);
    edge->thread = heartbeat->serial;
    edge->request_context = heartbeat->context;
    edge_info->edge = edge;
    tell_place(finding, edge, edge_info, state_of(file, heartbeat->serial));
    *info = (struct lgr_finding_info){.finding = finding, .count = 1, .edge_count = 1, .edges = edge_info};
    return true;
}
