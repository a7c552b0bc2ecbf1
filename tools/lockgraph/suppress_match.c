/* Which findings a suppression is about. */
#include "kinds.h"
#include "model.h"
#include "suppress.h"

#include <string.h>

/* ---- frames ---- */

static bool matches_function(const char *pattern, const struct code_frame *frame) {
    return pattern_matches(pattern, frame->name) || pattern_matches(pattern, frame->function);
}

/* Suppressions hold whatever the report makes of the names. */
static bool matches_file(bool (*matches)(const char *pattern, const char *file), const char *pattern,
                         const struct code_frame *frame) {
    return matches(pattern, frame->file) || (frame->recorded && matches(pattern, frame->recorded));
}

static bool matches_frame(const struct suppression_part *part, const struct code_frame *frame) {
    switch (part->subject) {
    case SUPPRESS_FUNCTION:
        return matches_function(part->pattern, frame);
    case SUPPRESS_FILE:
        return matches_file(pattern_matches_path, part->pattern, frame);
    case SUPPRESS_MODULE:
        return pattern_matches_path(part->pattern, frame->module);
    case SUPPRESS_ANY_FRAME:
        return matches_function(part->pattern, frame) ||
               matches_file(pattern_matches, part->pattern, frame) ||
               pattern_matches(part->pattern, frame->module);
    default:
        return false;
    }
}

static bool matches_stack(const struct suppression_part *part, const struct stack *stack) {
    for (size_t i = 0; i < stack->count; i++)
        if (matches_frame(part, &stack->frames[i]))
            return true;
    return false;
}

/* ---- locks ---- */

static bool matches_lock(const struct suppression_part *part, const struct model_lock *lock) {
    if (!lock)
        return false;
    if (part->subject == SUPPRESS_LOCK)
        return pattern_matches(part->pattern, lock->name) || pattern_matches(part->pattern, lock->short_name);
    const struct model_class *class = lock->class;
    return part->subject == SUPPRESS_CLASS && class &&
           (pattern_matches(part->pattern, class->name) ||
            pattern_matches(part->pattern, class->short_name) || pattern_matches(part->pattern, class->id));
}

/* ---- findings ---- */

static bool matches_edge(const struct suppression_part *part, const struct model_edge *edge) {
    return matches_lock(part, edge->from) || matches_lock(part, edge->to) ||
           matches_stack(part, &edge->held_at) || matches_stack(part, &edge->requested_at);
}

static bool matches_part(const struct suppression_part *part, const struct model_finding *finding) {
    if (part->subject == SUPPRESS_ID)
        return pattern_matches(part->pattern, finding->id);
    for (size_t i = 0; i < finding->edge_count; i++)
        if (matches_edge(part, &finding->edges[i]))
            return true;
    return false;
}

/* What ThreadSanitizer reports as a deadlock. */
static bool is_about_deadlock(uint16_t kind) {
    return kind == LGR_KIND_ORDER_CYCLE || kind == LGR_KIND_DEADLOCK || kind == LGR_KIND_SELF_DEADLOCK;
}

/* ---- blessings ---- */

static bool is_one_of(const struct model_lock *lock, const char *const blessed[2]) {
    return lock && lock->class && strcmp(lock->class->kind, "named") == 0 &&
           (strcmp(lock->class->name, blessed[0]) == 0 || strcmp(lock->class->name, blessed[1]) == 0);
}

static bool blesses(const char *const blessed[2], const struct model_finding *finding) {
    if (finding->kind != LGR_KIND_LEVEL_VIOLATION && finding->kind != LGR_KIND_ORDER_CYCLE)
        return false;
    for (size_t i = 0; i < finding->edge_count; i++)
        if (!is_one_of(finding->edges[i].from, blessed) || !is_one_of(finding->edges[i].to, blessed))
            return false;
    return finding->edge_count > 0;
}

bool suppression_matches(const struct suppression *suppression, const struct model_finding *finding) {
    if (suppression->blessed[0])
        return blesses(suppression->blessed, finding);
    if (suppression->kind ? !pattern_matches(suppression->kind, kind_name(finding->kind))
                          : !is_about_deadlock(finding->kind))
        return false;
    for (size_t i = 0; i < suppression->part_count; i++)
        if (!matches_part(&suppression->parts[i], finding))
            return false;
    return true;
}

static void suppress(struct model *model, struct model_finding *finding) {
    for (size_t i = 0; i < model->suppressions->count; i++)
        if (suppression_matches(&model->suppressions->list[i], finding)) {
            model->suppression_uses[i]++;
            if (!finding->suppression)
                finding->suppression = &model->suppressions->list[i];
        }
}

void suppress_findings(struct model *model, const struct suppressions *suppressions) {
    if (!suppressions || suppressions->file_count == 0)
        return;
    model->suppressions = suppressions;
    model->suppression_uses = pool_array(&model->pool, suppressions->count, sizeof *model->suppression_uses);
    for (size_t i = 0; i < model->finding_count; i++)
        suppress(model, &model->findings[i]);
}
