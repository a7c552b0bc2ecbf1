/* Findings as test cases: those from --fail-on on fail, what is suppressed is skipped. */
#include <time.h>

#include "format.h"
#include "kinds.h"
#include "suppress.h"
#include "xml_text.h"

enum result { PASSED, FAILED, SKIPPED };

static enum result result_of(const struct model_finding *finding, const struct format_options *options) {
    if (finding->suppression)
        return SKIPPED;
    return finding->severity >= options->fail_on ? FAILED : PASSED;
}

/* Notes fill a list of tests that nobody asked for. */
static bool is_told(const struct model_finding *finding, const struct format_options *options) {
    return finding->severity > LGR_NOTE || options->show_notes || result_of(finding, options) == FAILED;
}

/* ---- one finding ---- */

static void add_report(struct text *out, struct model *model, const struct model_finding *finding,
                       const struct format_options *options) {
    struct format_options plain = *options;
    struct text report = {0};
    plain.color = plain.brief = false;
    plain.columns = 0;
    format_text_finding(&report, model, finding, &plain);
    xml_add(out, text_string(&report));
    text_free(&report);
}

static void add_failed(struct text *out, struct model *model, const struct model_finding *finding,
                       const struct format_options *options) {
    text_add(out, "      <failure");
    xml_attribute(out, "message", finding->title);
    xml_attribute(out, "type", severity_name(finding->severity));
    text_add(out, ">");
    add_report(out, model, finding, options);
    text_add(out, "</failure>\n");
}

static void add_finding(struct text *out, struct model *model, const struct model_finding *finding,
                        const struct format_options *options) {
    enum result result = result_of(finding, options);
    text_add(out, "    <testcase");
    xml_attribute(out, "classname", pool_printf(&model->pool, "lockgraph.%s", kind_name(finding->kind)));
    xml_attribute(out, "name", pool_printf(&model->pool, "%s %s", finding->id, finding->title));
    text_add(out, ">\n");
    if (result == FAILED) {
        add_failed(out, model, finding, options);
    } else if (result == SKIPPED) {
        text_add(out, "      <skipped");
        xml_attribute(out, "message",
                      finding->suppression->reason ? finding->suppression->reason : "suppressed");
        text_add(out, "/>\n");
    } else {
        text_add(out, "      <system-out>");
        add_report(out, model, finding, options);
        text_add(out, "</system-out>\n");
    }
    text_add(out, "    </testcase>\n");
}

/* ---- the whole ---- */

static const char *start_of(struct model *model) {
    time_t seconds = (time_t)(model->processes[0].header->start_realtime_ns / 1000000000);
    struct tm utc;
    char date[32];
    if (!gmtime_r(&seconds, &utc) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc))
        return NULL;
    return pool_string(&model->pool, date);
}

/* From the first start to the last end that is known, in seconds. */
static double time_of(const struct model *model) {
    uint64_t start = model->processes[0].header->start_realtime_ns, end = start;
    for (size_t i = 0; i < model->process_count; i++)
        if (model->processes[i].header->end_realtime_ns > end)
            end = model->processes[i].header->end_realtime_ns;
    return (double)(end - start) / 1e9;
}

static void add_counts(struct text *out, const struct model *model, const struct format_options *options) {
    size_t counts[3] = {0};
    for (size_t i = 0; i < model->finding_count; i++)
        if (is_told(&model->findings[i], options))
            counts[result_of(&model->findings[i], options)]++;
    size_t tests = counts[PASSED] + counts[FAILED] + counts[SKIPPED];
    text_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"",
                tests ? tests : 1, counts[FAILED], counts[SKIPPED], time_of(model));
}

/* A run without any test is taken for one that did not happen. */
static void add_nothing_found(struct text *out, const struct model *model) {
    text_printf(out,
                "    <testcase classname=\"lockgraph\" name=\"neither errors nor warnings were found\">\n"
                "      <system-out>%lu locks, %lu threads, %lu nested acquisitions</system-out>\n"
                "    </testcase>\n",
                (unsigned long)model->coverage.locks, (unsigned long)model->coverage.threads,
                (unsigned long)model->coverage.acquisitions_nested);
}

void format_junit(struct text *out, struct model *model, const struct format_options *options) {
    const char *start = start_of(model);
    size_t told = 0;
    text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lockgraph\"");
    add_counts(out, model, options);
    text_add(out, ">\n  <testsuite");
    xml_attribute(out, "name", pool_printf(&model->pool, "lockgraph %s", model->processes[0].program));
    add_counts(out, model, options);
    if (start)
        xml_attribute(out, "timestamp", start);
    text_add(out, ">\n");
    for (size_t i = 0; i < model->finding_count; i++)
        if (is_told(&model->findings[i], options) && ++told)
            add_finding(out, model, &model->findings[i], options);
    if (told == 0)
        add_nothing_found(out, model);
    text_add(out, "  </testsuite>\n</testsuites>\n");
}
