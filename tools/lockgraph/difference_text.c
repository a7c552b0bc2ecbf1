#include <ctype.h>
#include <string.h>

#include "difference.h"
#include "ink.h"
#include "kinds.h"

static void add_finding(struct text *out, const struct summary_finding *finding, bool color) {
    char severity[16] = "";
    const char *name = severity_name(finding->severity);
    for (size_t i = 0; name[i] && i + 1 < sizeof severity; i++)
        severity[i] = (char)toupper((unsigned char)name[i]);
    text_add(out, "  ");
    ink_add(out, color, ink_of_severity(finding->severity), severity);
    text_printf(out, " %s %s: %s", finding->kind, finding->id, finding->title);
    if (finding->verdict)
        text_printf(out, " (%s)", finding->verdict);
}

static void add_new_findings(struct text *out, const struct difference *difference, bool color) {
    if (difference->new_count)
        text_add(out, "\nNew findings\n");
    for (size_t i = 0; i < difference->new_count; i++) {
        const struct summary_finding *finding = difference->new_findings[i];
        const struct summary_finding *known = summary_find_finding(difference->before, finding->id);
        add_finding(out, finding, color);
        if (known)
            text_printf(out, ", was a%s %s", known->severity == LGR_ERROR ? "n" : "",
                        severity_name(known->severity));
        text_add(out, "\n");
    }
}

static void add_gone_findings(struct text *out, const struct difference *difference) {
    if (difference->gone_count)
        text_add(out, "\nGone findings\n");
    for (size_t i = 0; i < difference->before->finding_count; i++) {
        const struct summary_finding *finding = &difference->before->findings[i];
        if (summary_find_finding(difference->now, finding->id))
            continue;
        add_finding(out, finding, false);
        text_add(out, "\n");
    }
}

static const char *name_of(const struct summary *summary, const char *id) {
    const struct summary_class *class = summary_find_class(summary, id);
    return class ? class->name : id;
}

static void add_edges(struct text *out, const struct summary *from, const struct summary *against,
                      const char *heading) {
    text_printf(out, "\n%s\n", heading);
    for (size_t i = 0; i < from->edge_count; i++)
        if (!summary_find_edge(against, &from->edges[i]))
            text_printf(out, "  %s is taken under %s\n", name_of(from, from->edges[i].to),
                        name_of(from, from->edges[i].from));
}

static void add_level(struct text *out, const struct summary_class *before, const struct summary_class *now) {
    int one = before ? before->level : NO_LEVEL, other = now ? now->level : NO_LEVEL;
    const char *name = now ? now->name : before->name;
    if (one == other)
        return;
    if (one == NO_LEVEL)
        text_printf(out, "  %s has level %d, and had none\n", name, other);
    else if (other == NO_LEVEL)
        text_printf(out, "  %s has no level any more; it was %d\n", name, one);
    else
        text_printf(out, "  %s has level %d; it was %d\n", name, other, one);
}

static void add_levels(struct text *out, const struct difference *difference) {
    if (difference->new_levels + difference->gone_levels)
        text_add(out, "\nLevels\n");
    for (size_t i = 0; i < difference->now->class_count; i++) {
        const struct summary_class *now = &difference->now->classes[i];
        add_level(out, summary_find_class(difference->before, now->id), now);
    }
    for (size_t i = 0; i < difference->before->class_count; i++) {
        const struct summary_class *before = &difference->before->classes[i];
        if (!summary_find_class(difference->now, before->id))
            add_level(out, before, NULL);
    }
}

static void add_counts(struct text *out, const char *what, size_t new, size_t gone, size_t same) {
    text_printf(out, "%s: %zu new, %zu gone, %zu as before", what, new, gone, same);
}

void difference_text(struct text *out, const struct difference *difference, bool color) {
    add_counts(out, "findings", difference->new_count, difference->gone_count, difference->same_count);
    add_counts(out, "; pairs of classes", difference->new_edges, difference->gone_edges,
               difference->same_edges);
    add_counts(out, "; levels", difference->new_levels, difference->gone_levels, difference->same_levels);
    text_add(out, "\n");
    add_new_findings(out, difference, color);
    add_gone_findings(out, difference);
    if (difference->new_edges)
        add_edges(out, difference->now, difference->before, "New pairs");
    if (difference->gone_edges)
        add_edges(out, difference->before, difference->now, "Gone pairs");
    add_levels(out, difference);
}
