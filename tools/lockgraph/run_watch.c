#include "run_watch.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live_header.h"
#include "model.h"
#include "run_heartbeats.h"
#include "run_snapshot.h"
#include "stall_words.h"

#define ATTEMPTS 5

struct watched {
    const char *path;
    uint32_t deadlocks; /* told so far */
    unsigned attempts;  /* looks since the count rose that found nothing new: it may be ahead of the record */
    struct heartbeats heartbeats;
    bool done; /* its process has ended, and we looked after that; or it is of another run */
};

static int compare_watched(const void *a, const void *b) {
    return strcmp(((const struct watched *)a)->path, ((const struct watched *)b)->path);
}

static struct watched *watched_file(struct watch *watch, const char *path) {
    struct watched key = {.path = path}, **found = tfind(&key, &watch->files, compare_watched);
    if (found)
        return *found;
    struct watched *file = pool_alloc(&watch->pool, sizeof *file);
    file->path = pool_string(&watch->pool, path);
    file->done = path_list_has(&watch->files_of_run->before, path);
    tsearch(file, &watch->files, compare_watched);
    return file;
}

static bool already_told(struct watch *watch, const char *id) {
    for (size_t i = 0; i < watch->told_count; i++)
        if (strcmp(watch->told[i], id) == 0)
            return true;
    watch->told = checked_resize(watch->told, watch->told_count + 1, sizeof *watch->told);
    watch->told[watch->told_count++] = pool_string(&watch->pool, id);
    return false;
}

/* True when there was something new. */
static bool tell(struct watch *watch, const char *path, const struct format_options *format) {
    struct model *model = model_load(&path, 1, &(struct model_options){.suppressions = watch->suppressions});
    struct text out = {0};
    bool anything = false, stalled = false;
    for (size_t i = 0; i < model->finding_count; i++) {
        const struct model_finding *finding = &model->findings[i];
        bool told_now = finding->verdict == LGR_VERDICT_ACTUAL || finding->kind == LGR_KIND_HEARTBEAT_MISSED;
        if (!told_now || already_told(watch, finding->id))
            continue;
        anything = true;
        if (!finding->suppression)
            format_text_finding(&out, model, finding, format);
        stalled = stalled || (!finding->suppression && is_stall(finding) && finding->process->alive);
    }
    fputs(text_string(&out), stderr);
    text_free(&out);
    if (stalled) /* the one process of this file */
        tell_snapshot((pid_t)model->processes[0].header->pid, format->color);
    model_free(model);
    return anything;
}

static void look_into(struct watch *watch, struct watched *file, const struct format_options *format) {
    struct lgr_header header;
    if (file->done || !live_header(file->path, &header))
        return;
    uint32_t deadlocks = atomic_load_explicit(&header.deadlocks, memory_order_relaxed);
    if (!run_files_bear(watch->files_of_run, &header)) {
        file->done = true;
        return;
    }
    file->done = atomic_load_explicit(&header.ended, memory_order_relaxed) != LGR_RUNNING;
    if (!file->done && heartbeats_look(&file->heartbeats, file->path, &header))
        tell(watch, file->path, format);
    if (deadlocks == file->deadlocks)
        return;
    if (!tell(watch, file->path, format) && ++file->attempts < ATTEMPTS)
        return;
    file->deadlocks = deadlocks;
    file->attempts = 0;
    watch->deadlock = true;
}

void watch_look(struct watch *watch, const struct format_options *format) {
    struct pool pool = {0};
    struct path_list list;
    if (data_dir_list(&pool, watch->files_of_run->directory, &list))
        for (size_t i = 0; i < list.count; i++)
            look_into(watch, watched_file(watch, list.paths[i]), format);
    pool_free(&pool);
}

static void drop(void *node) {
    struct watched *file = node;
    heartbeats_free(&file->heartbeats);
}

void watch_free(struct watch *watch) {
    tdestroy(watch->files, drop);
    pool_free(&watch->pool);
    free(watch->told);
}
