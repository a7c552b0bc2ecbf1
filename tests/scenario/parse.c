/* Scenario files: cases, declarations, `for` lines.  Steps and expectations
 * have their own files. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define PERMUTATION_LIMIT  5040
#define INTERLEAVING_LIMIT 20000

struct parser {
    const char *path;
    struct scenario *scenario; /* NULL before the first case */
    void (*take)(struct scenario *, void *);
    void *user;
};

/* ---- names ---- */

size_t object_find(struct scenario *scenario, int line, const char *name, enum object_kind kind) {
    struct object *object;
    for (size_t i = 0; i < scenario->objects.count; i++) {
        object = &scenario->objects.at[i];
        if (strcmp(object->name, name) != 0) {
            continue;
        }
        if (object->kind == OBJECT_UNKNOWN) {
            object->kind = kind;
        } else if (kind != OBJECT_UNKNOWN && object->kind != kind) {
            parse_fail(scenario, line, "%s was something else in line %d", name, object->line);
        }
        return i;
    }
    object = ADD(&scenario->objects);
    object->name = text_copy(name);
    object->kind = kind;
    object->line = line;
    object->lock_kind = LGR_LOCK_MUTEX;
    object->class_index = NO_CLASS;
    object->level = NO_LEVEL;
    return scenario->objects.count - 1;
}

size_t thread_find(struct scenario *scenario, const char *name, bool add) {
    for (size_t i = 0; i < scenario->threads.count; i++) {
        if (strcmp(scenario->threads.at[i].name, name) == 0) {
            return i;
        }
    }
    if (!add) {
        return SIZE_MAX;
    }
    ADD(&scenario->threads)->name = text_copy(name);
    return scenario->threads.count - 1;
}

/* ---- declarations ---- */

static void declare_attribute(struct scenario *scenario, int line, struct object *lock, const char *word) {
    bool mutex = lock->lock_kind == LGR_LOCK_MUTEX;
    if (mutex && strcmp(word, "recursive") == 0) {
        lock->recursive = true;
    } else if (mutex && strcmp(word, "errorcheck") == 0) {
        lock->errorcheck = true;
    } else if (lock->lock_kind == LGR_LOCK_RWLOCK && strcmp(word, "prefer-writer") == 0) {
        lock->prefer_writer = true;
    } else {
        parse_fail(scenario, line, "'%s' is no attribute of this kind of lock", word);
    }
}

static bool is_attribute(const char *word) {
    return strcmp(word, "recursive") == 0 || strcmp(word, "errorcheck") == 0 ||
           strcmp(word, "prefer-writer") == 0;
}

/* mutex A B recursive */
static void declare_locks(struct scenario *scenario, int line, enum lgr_lock_kind kind,
                          const struct words *words) {
    size_t names = 1;
    while (names < words->list.count && !is_attribute(words->list.at[names])) {
        names++;
    }
    for (size_t i = 1; i < names; i++) {
        size_t index = object_find(scenario, line, words->list.at[i], OBJECT_LOCK);
        scenario->objects.at[index].lock_kind = kind;
        for (size_t j = names; j < words->list.count; j++) {
            declare_attribute(scenario, line, &scenario->objects.at[index], words->list.at[j]);
        }
    }
}

static enum lgr_class_kind class_kind(const struct scenario *scenario, int line, const char *word) {
    static const struct {
        const char *word;
        enum lgr_class_kind kind;
    } kinds[] = {{"named", LGR_CLASS_NAMED},
                 {"init", LGR_CLASS_INIT},
                 {"constructed", LGR_CLASS_INIT},
                 {"static", LGR_CLASS_STATIC},
                 {"guess", LGR_CLASS_GUESS}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(word, kinds[i].word) == 0) {
            return kinds[i].kind;
        }
    }
    parse_fail(scenario, line, "'%s': a class is named, init, constructed, static or guess", word);
}

/* class X guess A B */
static void declare_class(struct scenario *scenario, int line, const struct words *words) {
    if (words->list.count < 4) {
        parse_fail(scenario, line, "class NAME KIND LOCKS...");
    }
    struct class_name *class = ADD(&scenario->classes);
    class->name = text_copy(words->list.at[1]);
    class->kind = class_kind(scenario, line, words->list.at[2]);
    class->constructed = strcmp(words->list.at[2], "constructed") == 0;
    for (size_t i = 3; i < words->list.count; i++) {
        size_t lock = object_find(scenario, line, words->list.at[i], OBJECT_LOCK);
        scenario->objects.at[lock].class_index = scenario->classes.count - 1;
    }
}

/* level 30 A B [key 5]: with a key, the level is keyed */
static void declare_level(struct scenario *scenario, int line, const struct words *words) {
    size_t count = words->list.count;
    bool keyed = count > 4 && strcmp(words->list.at[count - 2], "key") == 0;
    if (count < 3) {
        parse_fail(scenario, line, "level NUMBER LOCKS... [key NUMBER]");
    }
    for (size_t i = 2; i < count - (keyed ? 2 : 0); i++) {
        size_t index = object_find(scenario, line, words->list.at[i], OBJECT_LOCK);
        struct object *lock = &scenario->objects.at[index];
        lock->level = atoi(words->list.at[1]);
        lock->keyed = keyed;
        lock->key = keyed ? strtoull(words->list.at[count - 1], NULL, 10) : 0;
    }
}

static void declare_barrier(struct scenario *scenario, int line, const struct words *words) {
    if (words->list.count != 3 || atoi(words->list.at[2]) < 1) {
        parse_fail(scenario, line, "barrier NAME THREADS");
    }
    size_t index = object_find(scenario, line, words->list.at[1], OBJECT_BARRIER);
    scenario->objects.at[index].parties = (unsigned)atoi(words->list.at[2]);
}

/* sem S SLOTS */
static void declare_semaphore(struct scenario *scenario, int line, const struct words *words) {
    if (words->list.count != 3) {
        parse_fail(scenario, line, "sem NAME SLOTS");
    }
    size_t index = object_find(scenario, line, words->list.at[1], OBJECT_LOCK);
    struct object *object = &scenario->objects.at[index];
    object->lock_kind = LGR_LOCK_SEMAPHORE;
    object->counts = true;
    object->slots = (unsigned)atoi(words->list.at[2]);
}

static void declare_schedule(struct scenario *scenario, int line, const struct words *words) {
    bool permute = strcmp(words->list.at[0], "permute") == 0;
    if (permute ? words->list.count != 2 || strcmp(words->list.at[1], "lines") != 0 : words->list.count > 2) {
        parse_fail(scenario, line, "permute lines, or interleave [LIMIT]");
    }
    scenario->schedule = permute ? SCHEDULE_PERMUTE : SCHEDULE_INTERLEAVE;
    scenario->limit = permute ? PERMUTATION_LIMIT : INTERLEAVING_LIMIT;
    if (!permute && words->list.count == 2) {
        scenario->limit = strtoul(words->list.at[1], NULL, 10);
    }
}

/* allow notes | warnings | others */
static void declare_tolerance(struct scenario *scenario, int line, const struct words *words) {
    const char *what = words->list.count == 2 ? words->list.at[1] : "";
    if (strcmp(what, "notes") == 0) {
        scenario->tolerated = LGR_NOTE;
    } else if (strcmp(what, "warnings") == 0) {
        scenario->tolerated = LGR_WARNING;
    } else if (strcmp(what, "others") == 0) {
        scenario->tolerated = LGR_ERROR;
    } else {
        parse_fail(scenario, line, "allow notes, warnings or others");
    }
}

/* ---- lines ---- */

static bool thread_line(struct parser *parser, int line, char *text) {
    char *colon = strchr(text, ':');
    if (!colon || colon == text || strcspn(text, " \t") < (size_t)(colon - text)) {
        return false;
    }
    *colon = '\0';
    parse_steps(parser->scenario, line, thread_find(parser->scenario, text, true), colon + 1);
    return true;
}

static void declaration(struct scenario *scenario, int line, const char *text) {
    struct words words = {0};
    words_split(scenario, line, text, &words);
    const char *first = words.list.at[0];
    if (strcmp(first, "mutex") == 0) {
        declare_locks(scenario, line, LGR_LOCK_MUTEX, &words);
    } else if (strcmp(first, "rwlock") == 0) {
        declare_locks(scenario, line, LGR_LOCK_RWLOCK, &words);
    } else if (strcmp(first, "spin") == 0) {
        declare_locks(scenario, line, LGR_LOCK_SPIN, &words);
    } else if (strcmp(first, "semaphore") == 0) {
        declare_locks(scenario, line, LGR_LOCK_SEMAPHORE, &words);
    } else if (strcmp(first, "sem") == 0) {
        declare_semaphore(scenario, line, &words);
    } else if (strcmp(first, "class") == 0) {
        declare_class(scenario, line, &words);
    } else if (strcmp(first, "level") == 0) {
        declare_level(scenario, line, &words);
    } else if (strcmp(first, "barrier") == 0) {
        declare_barrier(scenario, line, &words);
    } else if (strcmp(first, "permute") == 0 || strcmp(first, "interleave") == 0) {
        declare_schedule(scenario, line, &words);
    } else if (strcmp(first, "stalls") == 0 && words.list.count == 1) {
        scenario->stalls = true;
    } else if (strcmp(first, "allow") == 0) {
        declare_tolerance(scenario, line, &words);
    } else if (strcmp(first, "expect") == 0) {
        parse_expectation(scenario, line, &words, text);
    } else {
        parse_fail(scenario, line, "'%s' is not understood", text);
    }
    words_free(&words);
}

static void parse_line(struct parser *parser, int line, char *text);

/* Replaces {i}, {i+1} and {i-1} by numbers; `variable` is the letter. */
static void substitute(const char *from, char variable, long value, char *to, size_t size) {
    size_t used = 0;
    while (*from && used + 24 < size) {
        if (from[0] == '{' && from[1] == variable) {
            long offset = strtol(from + 2, NULL, 10);
            used += (size_t)snprintf(to + used, size - used, "%ld", value + offset);
            from = strchr(from, '}') ? strchr(from, '}') + 1 : from + strlen(from);
        } else {
            to[used++] = *from++;
        }
    }
    to[used] = '\0';
}

/* for i 1..39 T{i}: lock L{i}; ... */
static void parse_for(struct parser *parser, int line, const char *text) {
    char variable, expanded[4096];
    long from, to;
    int body = 0;
    if (sscanf(text, "for %c %ld..%ld %n", &variable, &from, &to, &body) < 3 || body == 0 || to < from) {
        parse_fail(parser->scenario, line, "for VARIABLE FROM..TO LINE");
    }
    for (long value = from; value <= to; value++) {
        substitute(text + body, variable, value, expanded, sizeof expanded);
        parse_line(parser, line, expanded);
    }
}

static void finish_case(struct parser *parser);

static void begin_case(struct parser *parser, int line, const char *name) {
    finish_case(parser);
    parser->scenario = calloc(1, sizeof *parser->scenario);
    parser->scenario->file = parser->path;
    parser->scenario->line = line;
    parser->scenario->name = text_copy(name);
    parser->scenario->limit = 1;
    if (*name == '\0') {
        parse_fail(parser->scenario, line, "a case needs a name");
    }
}

static void parse_line(struct parser *parser, int line, char *text) {
    if (strncmp(text, "case ", 5) == 0) {
        begin_case(parser, line, text + 5);
    } else if (!parser->scenario) {
        struct scenario nothing = {.file = parser->path};
        parse_fail(&nothing, line, "a line before the first case");
    } else if (strncmp(text, "for ", 4) == 0) {
        parse_for(parser, line, text);
    } else if (!thread_line(parser, line, text)) {
        declaration(parser->scenario, line, text);
    }
}

/* ---- whole cases ---- */

static void check_objects(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->objects.count; i++) {
        const struct object *object = &scenario->objects.at[i];
        if (object->kind == OBJECT_BARRIER && object->parties == 0) {
            parse_fail(scenario, object->line, "barrier %s needs `barrier %s THREADS`", object->name,
                       object->name);
        }
    }
}

static void check_events(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->lines.count; i++) {
        if (scenario->lines.at[i].event != EVENT_NONE && scenario->schedule != SCHEDULE_AS_WRITTEN) {
            parse_fail(scenario, scenario->lines.at[i].line, "only where lines run as written");
        }
    }
}

static void free_lists(struct scenario *scenario) {
    for (size_t i = 0; i < scenario->objects.count; i++) {
        free(scenario->objects.at[i].name);
    }
    for (size_t i = 0; i < scenario->classes.count; i++) {
        free(scenario->classes.at[i].name);
    }
    for (size_t i = 0; i < scenario->threads.count; i++) {
        free(scenario->threads.at[i].name);
    }
    for (size_t i = 0; i < scenario->labels.count; i++) {
        free(scenario->labels.at[i]);
    }
    for (size_t i = 0; i < scenario->lines.count; i++) {
        free(scenario->lines.at[i].steps.at);
    }
}

static void free_expectation(struct expectation *expectation) {
    for (size_t i = 0; i < expectation->locks.count; i++) {
        free(expectation->locks.at[i]);
    }
    for (size_t i = 0; i < expectation->threads.count; i++) {
        free(expectation->threads.at[i]);
    }
    for (size_t i = 0; i < expectation->contexts.count; i++) {
        free(expectation->contexts.at[i].held);
        free(expectation->contexts.at[i].request);
    }
    free(expectation->locks.at);
    free(expectation->threads.at);
    free(expectation->contexts.at);
    free(expectation->reason_name);
    free(expectation->text);
}

static void free_case(struct scenario *scenario) {
    free_lists(scenario);
    for (size_t i = 0; i < scenario->expectations.count; i++) {
        free_expectation(&scenario->expectations.at[i]);
    }
    free(scenario->objects.at);
    free(scenario->classes.at);
    free(scenario->threads.at);
    free(scenario->labels.at);
    free(scenario->lines.at);
    free(scenario->expectations.at);
    free(scenario->name);
    free(scenario);
}

static void finish_case(struct parser *parser) {
    struct scenario *scenario = parser->scenario;
    if (!scenario) {
        return;
    }
    if (scenario->expectations.count == 0) {
        parse_fail(scenario, scenario->line, "case %s expects nothing", scenario->name);
    }
    check_objects(scenario);
    check_events(scenario);
    parser->take(scenario, parser->user);
    free_case(scenario);
    parser->scenario = NULL;
}

/* Cuts the comment and the blanks at both ends. */
static char *trim(char *text) {
    text[strcspn(text, "#\n")] = '\0';
    while (isspace((unsigned char)*text)) {
        text++;
    }
    for (size_t length = strlen(text); length > 0 && isspace((unsigned char)text[length - 1]); length--) {
        text[length - 1] = '\0';
    }
    return text;
}

void parse_stream(FILE *file, const char *name, void (*take)(struct scenario *, void *), void *user) {
    struct parser parser = {.path = name, .take = take, .user = user};
    char *buffer = NULL;
    size_t size = 0;
    for (int line = 1; getline(&buffer, &size, file) >= 0; line++) {
        char *text = trim(buffer);
        if (*text) {
            parse_line(&parser, line, text);
        }
    }
    finish_case(&parser);
    free(buffer);
}

void parse_file(const char *path, void (*take)(struct scenario *, void *), void *user) {
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "scenario: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    parse_stream(file, path, take, user);
    fclose(file);
}
