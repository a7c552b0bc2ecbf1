#include "run_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_dir.h"
#include "kinds.h"
#include "order_file.h"
#include "preload.h"
#include "suppress.h"

const struct command_option run_options[] = {
    {NULL, 'o', "DIR",
     "where the evidence goes (default ./" DEFAULT_DATA_DIR "; an older one moves to DIR.old)"},
    {"append", 0, NULL, "keep what DIR holds and add to it"},
    {"strict", 0, NULL, "notes become errors"},
    {"fail-on", 0, "SEVERITY", "exit 66 from this severity on: error (default), warning, note or never"},
    {"exitcode", 0, "N", "exit N instead of 66"},
    {"on-deadlock", 0, "ACTION", "leave the program hanging (default), kill or abort it"},
    {"timeout", 0, "SEC", "end the program after SEC seconds and tell who waits for what"},
    {"require-coverage", 0, NULL, "exit 69 when no lock was seen"},
    {NULL, 'O', "KEY=VAL[:KEY=VAL]", "options of the runtime; -O help=1 lists them"},
    {"suppressions", 0, "FILE",
     "leave out what FILE names (default ./" DEFAULT_SUPPRESSIONS " where it exists)"},
    {"order", 0, "FILE", "check the declared order of FILE (default ./" DEFAULT_ORDER " where it exists)"},
    {0},
};

const struct command_option env_options[] = {
    {NULL, 'o', "DIR", "where the evidence goes (default ./" DEFAULT_DATA_DIR ")"},
    {"on-deadlock", 0, "ACTION", "leave the program hanging (default), kill or abort it"},
    {NULL, 'O', "KEY=VAL[:KEY=VAL]", "options of the runtime; -O help=1 lists them"},
    {"order", 0, "FILE", "check the declared order of FILE in PROGRAM; made into DIR" SAVED_ORDER_SUFFIX},
    {0},
};

static bool set_number(const char *value, int maximum, int *number, char *error) {
    char *end;
    long parsed = strtol(value, &end, 10);
    snprintf(error, 256, "\"%s\" is not a number from 0 to %d", value, maximum);
    *number = (int)parsed;
    return end != value && *end == 0 && parsed >= 0 && parsed <= maximum;
}

static bool set_timeout(const char *value, double *seconds, char *error) {
    char *end;
    *seconds = strtod(value, &end);
    snprintf(error, 256, "\"%s\" is not a number of seconds above 0", value);
    return end != value && *end == 0 && *seconds > 0 && *seconds < 1e9;
}

static bool set_action(const char *value, const char **action, char *error) {
    *action = value;
    snprintf(error, 256, "use leave, kill or abort");
    return strcmp(value, "leave") == 0 || strcmp(value, "kill") == 0 || strcmp(value, "abort") == 0;
}

static void add_text(const char ***list, size_t *count, const char *text) {
    *list = checked_resize(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] = text;
}

static bool apply_letter(struct run_settings *settings, char letter, const char *value, char *error) {
    if (letter == 'o') {
        settings->directory = value;
        snprintf(error, 256, "a directory is needed");
        return value[0] != 0;
    }
    add_text(&settings->given, &settings->given_count, value);
    return true;
}

bool run_apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct run_settings *settings = target;
    if (!option->name)
        return apply_letter(settings, option->letter, value, error);
    if (strcmp(option->name, "fail-on") == 0) {
        snprintf(error, 256, "use error, warning, note or never");
        return severity_parse(value, &settings->fail_on);
    }
    if (strcmp(option->name, "exitcode") == 0)
        return set_number(value, 255, &settings->findings_code, error);
    if (strcmp(option->name, "on-deadlock") == 0)
        return set_action(value, &settings->on_deadlock, error);
    if (strcmp(option->name, "timeout") == 0)
        return set_timeout(value, &settings->timeout, error);
    if (strcmp(option->name, "suppressions") == 0)
        add_text(&settings->suppression_files, &settings->suppression_file_count, value);
    if (strcmp(option->name, "order") == 0)
        settings->order_file = value;
    settings->append |= strcmp(option->name, "append") == 0;
    settings->strict |= strcmp(option->name, "strict") == 0;
    settings->require_coverage |= strcmp(option->name, "require-coverage") == 0;
    return true;
}

bool run_runtime_options(struct pool *pool, const struct run_settings *settings, struct lgp_options *options,
                         const char **error) {
    if (!gather_options(pool, settings->given, settings->given_count, options, error))
        return false;
    const char *directory = settings->directory ? settings->directory : options->data;
    if (strlen(directory) >= sizeof options->data) {
        *error = "the name of the directory is too long";
        return false;
    }
    if (settings->directory)
        snprintf(options->data, sizeof options->data, "%s", directory);
    if (settings->on_deadlock) {
        const char *text = pool_printf(pool, "on_deadlock=%s", settings->on_deadlock);
        return lgp_options_parse(options, text, NULL);
    }
    return true;
}
