#include "locks_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lockgraph/metrics.h>

#include "lock_order.h"

/* What a sample of a class is called here. */
static const struct {
    const char *sample, *name;
} figures[] = {{"lockgraph_lock_acquisitions_total", "holds"},
               {"lockgraph_lock_hold_seconds_sum", "hold_s"},
               {"lockgraph_lock_hold_max_seconds", "hold_max_s"},
               {"lockgraph_lock_contended_total", "waits"},
               {"lockgraph_lock_wait_seconds_sum", "wait_s"},
               {"lockgraph_lock_wait_max_seconds", "wait_max_s"},
               {"lockgraph_lock_waiters_max", "waiters_max"},
               {"lockgraph_lock_owner_changes_total", "owner_changes"}};
enum { FIGURES = sizeof figures / sizeof figures[0] };

/* The value of a label, unescaped; the text after it. */
static char *label(char *labels, const char *name, char *value, size_t room) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%s=\"", name);
    char *at = strstr(labels, wanted);
    size_t length = 0;
    value[0] = 0;
    if (at == NULL)
        return labels;
    for (at += strlen(wanted); *at != 0 && *at != '"'; at++) {
        if (*at == '\\' && at[1] != 0)
            at++;
        if (length + 1 < room)
            value[length++] = *at;
    }
    value[length] = 0;
    return *at == 0 ? at : at + 1;
}

static json_t *class_of(json_t *classes, char *labels) {
    char name[256], id[64], key[336];
    label(labels, "class", name, sizeof name);
    label(labels, "id", id, sizeof id);
    snprintf(key, sizeof key, "%s %s", name, id);
    json_t *one = json_object_get(classes, key);
    if (one == NULL) {
        one = json_pack("{s:s?, s:s?}", "name", name, "id", id);
        json_object_set_new(classes, key, one);
    }
    return one;
}

static void take_class(json_t *classes, const char *sample, char *labels, const char *value) {
    for (size_t i = 0; i < FIGURES; i++)
        if (strcmp(sample, figures[i].sample) == 0)
            json_object_set_new(class_of(classes, labels), figures[i].name, json_real(strtod(value, NULL)));
}

/* name{labels} value, or name value. */
static void take_line(json_t *classes, json_t *process, char *line) {
    char *value = strrchr(line, ' '), *labels = strchr(line, '{');
    if (line[0] == '#' || value == NULL)
        return;
    *value++ = 0;
    if (labels != NULL) {
        *labels++ = 0;
        take_class(classes, line, labels, value);
    } else if (strncmp(line, "lockgraph_", 10) == 0) {
        json_object_set_new(process, line + 10, json_real(strtod(value, NULL)));
    }
}

static double figure(const json_t *one, const char *name) {
    return json_number_value(json_object_get(one, name));
}

/* Longest waited for first; where that is equal, most often held, then as their levels are. */
static int by_wait(const void *a, const void *b) {
    static const char *const names[] = {"wait_s", "holds"};
    const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double x = figure(one, names[i]), y = figure(other, names[i]);
        if (x != y)
            return (x < y) - (x > y);
    }
    double x = figure(one, "level"), y = figure(other, "level");
    return (x > y) - (x < y);
}

/* The values of an object as an array, longest waited for first. */
static json_t *ordered(json_t *classes) {
    size_t count = json_object_size(classes), at = 0;
    json_t **all = calloc(count + 1, sizeof *all), *list = json_array(), *one;
    const char *key;
    if (all != NULL) {
        json_object_foreach(classes, key, one) all[at++] = one;
        qsort(all, count, sizeof *all, by_wait);
        for (size_t i = 0; i < count; i++)
            json_array_append(list, all[i]);
    }
    free(all);
    json_decref(classes);
    return list;
}

/* With profile=1 all classes have holds, else none has. */
static bool timed(json_t *classes) {
    json_t *one;
    const char *key;
    json_object_foreach(classes, key, one) if (json_object_get(one, "holds") != NULL) return true;
    return false;
}

/* That nobody ever waited for a lock of the table is worth knowing, too. */
static void add_documented(json_t *classes) {
    size_t count;
    const struct lg_level_name *names = sd_lock_order_names(&count);
    json_t *one;
    const char *key;
    for (size_t i = 0; i < count; i++) {
        json_t *known = NULL;
        json_object_foreach(classes, key, one) if (strcmp(json_string_value(json_object_get(one, "name")),
                                                          names[i].name) == 0) known = one;
        if (known == NULL) {
            known = json_pack("{s:s, s:i, s:f, s:f, s:i}", "name", names[i].name, "waits", 0, "wait_s", 0.0,
                              "wait_max_s", 0.0, "waiters_max", 0);
            json_object_set_new(classes, names[i].name, known);
        }
        json_object_set_new(known, "level", json_integer(names[i].level));
    }
}

static json_t *read_text(char *text) {
    json_t *classes = json_object(), *process = json_object();
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        take_line(classes, process, line);
    bool held = timed(classes);
    add_documented(classes);
    return json_pack("{s:b, s:o, s:o}", "holds_timed", held, "classes", ordered(classes), "process", process);
}

static json_t *read_file(int fd, struct sd_error *error) {
    off_t length = lseek(fd, 0, SEEK_END);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    json_t *json = NULL;
    if (text != NULL && pread(fd, text, (size_t)length, 0) == length) {
        text[length] = 0;
        json = read_text(text);
    }
    free(text);
    if (json == NULL)
        sd_fail_busy(error, "no_memory", 1, "no memory for the figures of locks");
    return json;
}

/* A file in memory: it is written and read at once. */
json_t *sd_locks_json(struct sd_error *error) {
    int fd = memfd_create("locks", MFD_CLOEXEC);
    int result = fd < 0 ? errno : lg_metrics_openmetrics(fd);
    json_t *json = NULL;
    if (result == 0)
        json = read_file(fd, error);
    else if (result == ENOSYS)
        sd_fail(error, 501, "no_lockgraph", "this build is without Lockgraph");
    else
        sd_fail_busy(error, "no_figures", 1, "figures of locks: %s", strerror(result));
    if (fd >= 0)
        close(fd);
    return json;
}
