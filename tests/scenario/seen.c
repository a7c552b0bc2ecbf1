/* The findings of a run, copied as the engine reports them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

void seen_error(struct seen *seen, const char *format, ...) {
    if (seen->error[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(seen->error, sizeof seen->error, format, arguments);
    va_end(arguments);
}

static void clear_finding(struct seen_finding *finding) {
    for (size_t i = 0; i < finding->edges.count; i++) {
        free((void *)(uintptr_t)finding->edges.at[i].held);
    }
    free(finding->edges.at);
    memset(finding, 0, sizeof *finding);
}

void seen_clear(struct seen *seen) {
    for (size_t i = 0; i < seen->findings.count; i++) {
        clear_finding(&seen->findings.at[i]);
    }
    free(seen->findings.at);
    memset(seen, 0, sizeof *seen);
}

static struct lgr_held *copy_held(const struct lge_finding_edge *edge) {
    struct lgr_held *copy = calloc(edge->held_count + 1u, sizeof *copy);
    if (!copy) {
        perror("scenario");
        exit(2);
    }
    if (edge->held_count > 0) {
        memcpy(copy, edge->held, edge->held_count * sizeof *copy);
    }
    return copy;
}

static void copy_finding(struct seen_finding *to, const struct lge_finding *from) {
    clear_finding(to);
    to->head = *from;
    to->head.edges = NULL;
    for (size_t i = 0; i < from->edge_count; i++) {
        struct lge_finding_edge *edge = ADD(&to->edges);
        *edge = from->edges[i];
        edge->held = copy_held(&from->edges[i]);
    }
}

/* A known problem may only be graded upwards; an upgrade may turn out to be one of
 * two. */
static struct seen_finding *find_problem(struct seen *seen, const struct lge_finding *finding) {
    for (size_t i = 0; i < seen->findings.count; i++) {
        struct seen_finding *known = &seen->findings.at[i];
        if (known->head.problem != finding->problem) {
            continue;
        }
        bool second = known->head.kind == LGR_KIND_SELF_DEADLOCK && finding->kind == LGR_KIND_DEADLOCK;
        if (finding->severity < known->head.severity ||
            (finding->verdict <= known->head.verdict && !second)) {
            seen_error(seen, "problem %u was %s, is reported again as %s", finding->problem,
                       verdict_text(known->head.verdict), verdict_text(finding->verdict));
        }
        return known;
    }
    return ADD(&seen->findings);
}

void seen_take(const struct lge_finding *finding, void *user) {
    struct seen *seen = user;
    if (finding->edge_count == 0) {
        seen_error(seen, "problem %u has no edges", finding->problem);
    }
    copy_finding(find_problem(seen, finding), finding);
}
