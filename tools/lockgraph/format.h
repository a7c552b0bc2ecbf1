/* The forms a report can take. */
#ifndef LOCKGRAPH_COMMAND_FORMAT_H
#define LOCKGRAPH_COMMAND_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "model.h"
#include "order_graph.h"
#include "text.h"

struct order;
#define FORMAT_FAILURE 256 /* bytes */
struct format_options {
    const struct order *order; /* in use; NULL: none */
    bool color;
    size_t columns; /* of the terminal that it is for; 0: none */
    bool show_notes;
    bool brief;        /* one screen: no stacks, a few findings in full */
    bool have_command; /* `lockgraph run`: the program's own status is known */
    int command_status;
    const char *directory;  /* where the evidence is, for hints; NULL: none */
    bool default_directory; /* the one that `report` reads unasked */
    /* Ids of findings the user has just been told in full. */
    size_t told_count;
    const char *const *told;
    struct order_graph_options graph; /* what a picture shows */
    unsigned fail_on;                 /* severity from which on a finding fails a test */
    const char *source_root;          /* absolute; files below it are named from there; NULL: none */
    /* FORMAT_FAILURE bytes, "" at first: a form that cannot be written says there why, and
     * what to do; NULL: nobody asks. */
    char *failure;
};

void format_text(struct text *out, struct model *model, const struct format_options *options);
/* One finding as on the first screen, with its stacks unless brief. */
void format_text_finding(struct text *out, struct model *model, const struct model_finding *finding,
                         const struct format_options *options);
/* One line: the program, when it ran and how it ended. */
void format_text_process(struct text *out, struct model *model, const struct model_process *process);
/* How much was seen, and what was not: a line each. */
void format_text_coverage(struct text *out, struct model *model);
/* What stands before a finding's reason, and before what to change. */
const char *format_text_why(struct pool *pool, const struct model_finding *finding);
const char *format_text_cure(const struct model_finding *finding);
/* Who waits for what; nothing when nobody waits. */
void format_text_waits(struct text *out, struct model *model, const struct format_options *options);
/* Which order file was in use; nothing without one. */
void format_order(struct text *out, struct model *model, const struct format_options *options);
/* Which suppression files were in use and what they did; nothing without one. */
void format_suppressions(struct text *out, struct model *model, bool brief);
void format_json(struct text *out, struct model *model, const struct format_options *options);
/* A page that needs nothing but a browser: html_page.h. */
void format_html(struct text *out, struct model *model, const struct format_options *options);

/* The order graph, as Graphviz reads it and as it draws it. */
void format_dot(struct text *out, struct model *model, const struct format_options *options);
void format_svg(struct text *out, struct model *model, const struct format_options *options);
/* What is told, for services that show it beside the source: SARIF 2.1.0. */
void format_sarif(struct text *out, struct model *model, const struct format_options *options);
/* What is told, as failed and passed tests. */
void format_junit(struct text *out, struct model *model, const struct format_options *options);

/* How locks were used, and how much was seen: record/openmetrics.h. */
void format_openmetrics(struct text *out, struct model *model, const struct format_options *options);

/* Why a process's record is incomplete, in words; bit is one of enum lgr_degraded. */
const char *degraded_words(uint32_t bit);
const char *degraded_name(uint32_t bit);

#endif
