#include "openmetrics.h"

static const char *const types[] = {"counter", "gauge", "summary"};

void sd_openmetrics_family(struct sd_text *text, enum sd_family type, const char *name, const char *help) {
    sd_text_format(text, "# TYPE sessiond_%s %s\n# HELP sessiond_%s ", name, types[type], name);
    sd_text_label(text, help);
    sd_text_add(text, "\n");
}

static void sample(struct sd_text *text, const char *name, const char *suffix, const char *labels,
                   const char *more, double value) {
    const char *comma = labels[0] != 0 && more[0] != 0 ? "," : "";
    sd_text_format(text, "sessiond_%s%s", name, suffix);
    if (labels[0] != 0 || more[0] != 0)
        sd_text_format(text, "{%s%s%s}", labels, comma, more);
    bool whole = value > -1e15 && value < 1e15 && value == (double)(int64_t)value;
    if (whole)
        sd_text_format(text, " %.0f\n", value);
    else
        sd_text_format(text, " %.9g\n", value);
}

void sd_openmetrics_sample(struct sd_text *text, enum sd_family type, const char *name, const char *labels,
                           double value) {
    sample(text, name, type == SD_COUNTER ? "_total" : "", labels, "", value);
}

void sd_openmetrics_summary(struct sd_text *text, const char *name, const char *labels,
                            const struct sd_histogram *histogram) {
    static const struct {
        int percent;
        const char *label;
    } quantiles[] = {{50, "quantile=\"0.5\""}, {95, "quantile=\"0.95\""}, {99, "quantile=\"0.99\""}};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        sample(text, name, "", labels, quantiles[i].label,
               (double)sd_histogram_quantile(histogram, quantiles[i].percent) / 1e6);
    sample(text, name, "_count", labels, "", (double)histogram->count);
    sample(text, name, "_sum", labels, "", (double)histogram->sum_us / 1e6);
}

void sd_openmetrics_end(struct sd_text *text) { sd_text_add(text, "# EOF\n"); }
