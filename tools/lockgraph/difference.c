#include "difference.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"

static int by_gravity(const void *a, const void *b) {
    const struct summary_finding *one = *(const struct summary_finding *const *)a;
    const struct summary_finding *other = *(const struct summary_finding *const *)b;
    if (one->severity != other->severity)
        return one->severity > other->severity ? -1 : 1;
    return strcmp(one->id, other->id);
}

static void compare_findings(struct difference *result) {
    const struct summary *now = result->now, *before = result->before;
    for (size_t i = 0; i < now->finding_count; i++) {
        const struct summary_finding *finding = &now->findings[i];
        const struct summary_finding *known = summary_find_finding(before, finding->id);
        if (finding->suppressed || (known && known->severity >= finding->severity))
            result->same_count += known != NULL;
        else
            result->new_findings[result->new_count++] = finding;
    }
    for (size_t i = 0; i < before->finding_count; i++)
        result->gone_count += !summary_find_finding(now, before->findings[i].id);
    if (result->new_count)
        qsort(result->new_findings, result->new_count, sizeof *result->new_findings, by_gravity);
}

static void compare_edges(struct difference *result) {
    for (size_t i = 0; i < result->now->edge_count; i++) {
        bool known = summary_find_edge(result->before, &result->now->edges[i]) != NULL;
        result->same_edges += known;
        result->new_edges += !known;
    }
    for (size_t i = 0; i < result->before->edge_count; i++)
        result->gone_edges += !summary_find_edge(result->now, &result->before->edges[i]);
}

/* Has a level in `one` that it has not in `other`. */
static bool level_only_in(const struct summary *other, const struct summary_class *class) {
    const struct summary_class *known = summary_find_class(other, class->id);
    return class->level != NO_LEVEL && (!known || known->level != class->level);
}

static void compare_levels(struct difference *result) {
    for (size_t i = 0; i < result->now->class_count; i++) {
        bool new = level_only_in(result->before, &result->now->classes[i]);
        result->new_levels += new;
        result->same_levels += !new && result->now->classes[i].level != NO_LEVEL;
    }
    for (size_t i = 0; i < result->before->class_count; i++)
        result->gone_levels += level_only_in(result->now, &result->before->classes[i]);
}

struct difference difference_of(struct pool *pool, const struct summary *before, const struct summary *now) {
    struct difference result = {.before = before, .now = now};
    result.new_findings = pool_array(pool, now->finding_count + 1, sizeof *result.new_findings);
    compare_findings(&result);
    compare_edges(&result);
    compare_levels(&result);
    return result;
}

bool difference_fails(const struct difference *difference, unsigned fail_on) {
    if (fail_on <= LGR_NOTE && (difference->new_edges || difference->new_levels))
        return true;
    return difference->new_count && difference->new_findings[0]->severity >= fail_on;
}
