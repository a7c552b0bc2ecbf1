#include "report_follow.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "command.h"
#include "exit_code.h"
#include "follow_json.h"
#include "kinds.h"
#include "live.h"
#include "live_header.h"
#include "output.h"
#include "pause.h"
#include "process_alive.h"

#define PAUSE_SECONDS 0.2

/* What was said of a finding last. */
struct told {
    const char *id;
    unsigned severity, verdict;
    bool printed;
};
struct following {
    const struct follow *follow;
    struct live live;
    struct pool pool;
    void *told;       /* tsearch tree */
    const char **ids; /* of those that were printed */
    size_t id_count;
    bool begun; /* something was written to the file */
    bool failed;
};

/* ---- what is new ---- */

static int compare_told(const void *a, const void *b) {
    return strcmp(((const struct told *)a)->id, ((const struct told *)b)->id);
}

static struct told *told_of(struct following *following, const char *id) {
    struct told key = {.id = id}, **found = tfind(&key, &following->told, compare_told);
    if (found)
        return *found;
    struct told *told = pool_alloc(&following->pool, sizeof *told);
    told->id = pool_string(&following->pool, id);
    tsearch(told, &following->told, compare_told);
    return told;
}

static bool is_wanted(const struct follow *follow, const struct model_finding *finding) {
    if (follow->json)
        return true;
    return !finding->suppression && (finding->severity > LGR_NOTE || follow->format.show_notes);
}

static bool is_news(struct following *following, const struct model_finding *finding) {
    const struct told *told = told_of(following, finding->id);
    return is_wanted(following->follow, finding) &&
           (!told->printed || finding->severity > told->severity || finding->verdict > told->verdict);
}

static int by_time(const void *a, const void *b) {
    const struct model_finding *one = *(const struct model_finding *const *)a;
    const struct model_finding *other = *(const struct model_finding *const *)b;
    if (one->time_realtime_ns != other->time_realtime_ns)
        return one->time_realtime_ns < other->time_realtime_ns ? -1 : 1;
    return strcmp(one->id, other->id);
}

/* ---- telling ---- */

static void write_out(struct following *following, struct text *out) {
    const char *file = following->follow->output;
    bool opens = file && !following->begun; /* an older one does not stay */
    if ((out->length || opens) && !output_write(out, file, following->begun ? "ae" : "we")) {
        complain("cannot write %s: %s", file ? file : "the report", strerror(errno));
        following->failed = true;
    }
    following->begun = following->begun || opens || out->length;
    text_free(out);
}

static void add_time(struct pool *pool, struct text *out, const struct model_finding *finding,
                     const struct told *told) {
    const char *time = "";
    if (finding->time_realtime_ns)
        time = clock_words(pool, finding->time_realtime_ns, "%Y-%m-%d %H:%M:%S, ");
    text_printf(out, "%s%s (pid %u)", time, finding->process->program, finding->process->header->pid);
    const char *verdict = verdict_name((uint8_t)told->verdict);
    if (told->printed)
        text_printf(out, ", graded up from %s%s%s%s", severity_name(told->severity), verdict ? " (" : "",
                    verdict ? verdict : "", verdict ? ")" : "");
    text_add(out, ":\n");
}

static void add_finding(struct following *following, struct text *out, struct model *model,
                        const struct model_finding *finding) {
    struct told *told = told_of(following, finding->id);
    if (following->follow->json) {
        follow_json(out, finding, told->printed);
    } else {
        add_time(&model->pool, out, finding, told);
        format_text_finding(out, model, finding, &following->follow->format);
    }
    if (!told->printed) {
        following->ids = checked_resize(following->ids, following->id_count + 1, sizeof *following->ids);
        following->ids[following->id_count++] = told->id;
    }
    told->printed = true;
    told->severity = finding->severity;
    told->verdict = finding->verdict;
}

static void tell_news(struct following *following, struct model *model) {
    const struct model_finding **news = pool_array(&model->pool, model->finding_count + 1, sizeof *news);
    struct text out = {0};
    size_t count = 0;
    for (size_t i = 0; i < model->finding_count; i++)
        if (is_news(following, &model->findings[i]))
            news[count++] = &model->findings[i];
    if (count)
        qsort(news, count, sizeof *news, by_time);
    for (size_t i = 0; i < count; i++)
        add_finding(following, &out, model, news[i]);
    write_out(following, &out);
}

/* The findings by their headlines only. */
static void tell_end(struct following *following, struct model *model) {
    struct format_options format = following->follow->format;
    struct text out = {0};
    format.brief = true;
    format.told = following->ids;
    format.told_count = following->id_count;
    if (!following->follow->json)
        format_text(&out, model, &format);
    write_out(following, &out);
}

/* ---- looking ---- */

/* Never 0. */
static uint64_t mix(uint64_t sum, uint64_t more) {
    sum = (sum ^ more ^ sum >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ? sum : 1;
}

/* Of several files what was seen in one may close a ring with what is seen in another.  A
 * missing heartbeat does not show in the header. */
static uint64_t state_of(const char *path, bool one_of_several) {
    struct lgr_header header;
    if (!live_header(path, &header))
        return 0;
    uint32_t ended = atomic_load_explicit(&header.ended, memory_order_relaxed);
    uint64_t sum = mix(1, atomic_load_explicit(&header.findings, memory_order_relaxed));
    sum = mix(sum, ended);
    sum = mix(sum, ended == LGR_RUNNING && process_alive(header.pid, header.start_realtime_ns, path));
    if (one_of_several)
        sum = mix(sum, atomic_load_explicit(&header.edges, memory_order_relaxed));
    if (atomic_load_explicit(&header.heartbeats, memory_order_relaxed) != 0)
        sum = mix(sum, (uint64_t)time(NULL));
    return sum;
}

/* Different as soon as there may be something new. */
static uint64_t state_of_all(struct following *following) {
    struct pool pool = {0};
    struct path_list files = {0};
    uint64_t sum = 0;
    if (live_files(&pool, &following->live, &files))
        sum = mix(1, files.count);
    for (size_t i = 0; sum && i < files.count; i++)
        sum = mix(sum, state_of(files.paths[i], files.count > 1));
    pool_free(&pool);
    return sum;
}

static double now_seconds(void) { return (double)clock_now_ns(CLOCK_MONOTONIC) / 1e9; }

/* As long as the look took, at least: a large file must not cost a processor.  False: it is
 * to end. */
static bool wait_for_news(struct following *following, uint64_t *state, double took) {
    for (double pause = took > PAUSE_SECONDS ? took : PAUSE_SECONDS; pause_for(pause);
         pause = PAUSE_SECONDS) {
        uint64_t now = state_of_all(following);
        if (now != *state) {
            *state = now;
            return true;
        }
    }
    return false;
}

static int conclude(struct following *following, struct model *model) {
    tell_end(following, model);
    live_complain(model);
    if (following->failed)
        return EXIT_INTERNAL;
    if (model_count_at_least(model, following->follow->fail_on))
        return EXIT_FINDINGS;
    return model->unreadable ? EXIT_UNREADABLE : EXIT_CLEAN;
}

static int look_on(struct following *following) {
    const struct follow *follow = following->follow;
    struct model_options load = {.strict = follow->strict, .suppressions = follow->suppressions};
    uint64_t state = state_of_all(following);
    for (bool goes_on = true;;) {
        double begun = now_seconds();
        struct model *model = state ? live_look(&following->live, load) : NULL;
        if (!model)
            return EXIT_UNREADABLE;
        tell_news(following, model);
        bool ends = !goes_on || following->failed || !model_runs(model);
        int status = ends ? conclude(following, model) : EXIT_CLEAN;
        model_free(model);
        if (ends)
            return status;
        goes_on = wait_for_news(following, &state,
                                now_seconds() - begun); /* and a last look, for what came since */
    }
}

static void keep(void *node) { (void)node; }

int report_follow(const struct follow *follow) {
    struct following following = {.follow = follow,
                                  .live = {.count = follow->count, .operands = follow->operands}};
    pauses_begin(false);
    int status = look_on(&following);
    pauses_end();
    tdestroy(following.told, keep);
    free(following.ids);
    live_end(&following.live);
    pool_free(&following.pool);
    return status;
}
