/* lg_metrics_openmetrics: include/lockgraph/metrics.h. */
#include "lockgraph/metrics.h"

#include <stdint.h>
#include <sys/syscall.h>

#include "engine/context.h"
#include "engine/finding.h"
#include "engine/hold_times.h"
#include "engine/lock_class.h"
#include "engine/usage.h"
#include "interpose/self.h"
#include "interpose/short_names.h"
#include "platform/memory.h"
#include "platform/print.h"
#include "record/openmetrics.h"
#include "record/writer.h"

enum { NAME = 200, NUMBER = 12, BUFFER = 16384 };

/* The strings of a class. */
struct words {
    char name[NAME], number[NUMBER];
};

/* ---- what they are called ---- */

static void put_site(struct lgp_text *text, const struct lge_class *class) {
    const struct lge_context *context = lge_context_get(class->context);
    lgp_format(text, class->kind == LGR_CLASS_INIT ? "lock initialised at " : "lock first taken at ");
    if (context == NULL || context->count == 0)
        lgp_format(text, "a place not recorded");
    else
        lgi_put_place(text, context->frames[0]);
}

static void name(struct lgr_class_metrics *metrics, struct words *words, uint32_t class_id) {
    const struct lge_class *class = lge_class_get(class_id);
    struct lgp_text number = {words->number, sizeof words->number, 0};
    struct lgp_text text = {words->name, sizeof words->name, 0};
    lgp_format(&number, "%u", class_id);
    metrics->id = words->number;
    metrics->name = words->name;
    if (class->kind == LGR_CLASS_NAMED && class->name != NULL)
        metrics->name = class->name;
    else if (class->kind == LGR_CLASS_STATIC)
        lgi_put_place(&text, class->variable);
    else
        put_site(&text, class);
}

/* ---- all of it ---- */

static struct lgr_process_metrics process_metrics(void) {
    struct lge_figures figures;
    lge_figures(&figures);
    return (struct lgr_process_metrics){
        .processes = 1,
        .locks = figures.locks,
        .threads = figures.threads,
        .nested = figures.nested,
        .contended = figures.contended,
        .ordered_pairs = figures.edges,
        .unwrapped = figures.unwrapped,
        .dropped = atomic_load_explicit(&lgr_writer_header()->dropped, memory_order_relaxed),
        .findings = figures.findings,
        .errors = lge_findings_errors(),
    };
}

struct output {
    int fd, error;
    size_t length;
    char *buffer;
};

/* A raw system call: no cancellation point, no errno. */
static void flush(struct output *out) {
    for (size_t written = 0; written < out->length && out->error == 0;) {
        long result = lgp_syscall(SYS_write, out->fd, (long)(out->buffer + written),
                                  (long)(out->length - written), 0, 0, 0);
        if (result > 0)
            written += (size_t)result;
        else if (result != -EINTR)
            out->error = result == 0 ? EIO : (int)-result;
    }
    out->length = 0;
}

static void put(void *to, const char *text, size_t length) {
    struct output *out = to;
    for (size_t i = 0; i < length; i++) {
        if (out->length == BUFFER)
            flush(out);
        out->buffer[out->length++] = text[i];
    }
}

static int write_all(const struct lgr_metrics *metrics, int fd) {
    struct output out = {.fd = fd, .buffer = lgp_alloc(BUFFER)};
    if (out.buffer == NULL)
        return ENOMEM;
    lgr_openmetrics(metrics, put, &out);
    flush(&out);
    lgp_free(out.buffer, BUFFER);
    return out.error;
}

static int write_usages(const struct lge_class_usage *usages, size_t count, int fd) {
    struct lgr_class_metrics *classes = lgp_alloc((count + 1) * sizeof *classes);
    struct words *words = lgp_alloc((count + 1) * sizeof *words);
    int error = ENOMEM;
    if (classes != NULL && words != NULL) {
        for (size_t i = 0; i < count; i++) {
            classes[i].figures = usages[i].figures;
            name(&classes[i], &words[i], usages[i].class_id);
        }
        struct lgr_metrics metrics = {.process = process_metrics(),
                                      .classes = classes,
                                      .class_count = count,
                                      .holds = (lge_timing & LGE_TIMING_PROFILE) != 0};
        error = write_all(&metrics, fd);
    }
    lgp_free(classes, (count + 1) * sizeof *classes);
    lgp_free(words, (count + 1) * sizeof *words);
    return error;
}

LGI_EXPORT int lg_metrics_openmetrics(int fd) {
    struct lge_class_usage *usages;
    size_t count;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return EBUSY;
    int error = ENOMEM;
    if (lge_usages_collect(&usages, &count)) {
        error = write_usages(usages, count, fd);
        lgp_free(usages, count * sizeof *usages);
    }
    lgi_leave(thread);
    return error;
}
