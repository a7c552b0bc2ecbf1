/* The steps of a thread: `lock A; unlock A; create T2`. */
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

struct lock_verb {
    const char *word;
    enum lgr_mode mode;
    bool reader_writer, attempt, timed;
};
static const struct lock_verb lock_verbs[] = {
    {"lock", LGR_EXCLUSIVE, false, false, false},      {"rdlock", LGR_SHARED, true, false, false},
    {"wrlock", LGR_EXCLUSIVE, true, false, false},     {"trylock", LGR_EXCLUSIVE, false, true, false},
    {"tryrdlock", LGR_SHARED, true, true, false},      {"trywrlock", LGR_EXCLUSIVE, true, true, false},
    {"timedlock", LGR_EXCLUSIVE, false, false, true},  {"timedrdlock", LGR_SHARED, true, false, true},
    {"timedwrlock", LGR_EXCLUSIVE, true, false, true},
};

enum operand { NO_OPERAND, OF_LOCKS, OF_BARRIER, OF_SIGNAL, OF_CONDITION, OF_THREAD };
static const struct {
    const char *word;
    enum step_kind kind;
    enum operand operand;
} verbs[] = {
    {"unlock", STEP_UNLOCK, OF_LOCKS},
    {"destroy", STEP_DESTROY, OF_LOCKS},
    {"init", STEP_INIT, OF_LOCKS},
    {"barrier", STEP_BARRIER, OF_BARRIER},
    {"post", STEP_POST, OF_SIGNAL},
    {"signal", STEP_SIGNAL, OF_CONDITION},
    {"broadcast", STEP_BROADCAST, OF_CONDITION},
    {"create", STEP_CREATE, OF_THREAD},
    {"join", STEP_JOIN, OF_THREAD},
    {"exit", STEP_EXIT, NO_OPERAND},
};

struct step_parser {
    struct scenario *scenario;
    struct script_line *line;
    size_t label;
};

static struct step *add_step(struct step_parser *parser, enum step_kind kind, size_t object) {
    struct step *step = ADD(&parser->line->steps);
    step->kind = kind;
    step->object = object;
    step->line = parser->line->line;
    return step;
}

static void add_lock(struct step_parser *parser, const struct lock_verb *verb, const char *name) {
    struct scenario *scenario = parser->scenario;
    size_t known = scenario->objects.count;
    size_t lock = object_find(scenario, parser->line->line, name, OBJECT_LOCK);
    struct object *object = &scenario->objects.at[lock];
    if (scenario->objects.count > known && verb->reader_writer) {
        object->lock_kind = LGR_LOCK_RWLOCK;
    }
    if ((object->lock_kind == LGR_LOCK_RWLOCK) != verb->reader_writer) {
        parse_fail(scenario, parser->line->line, "%s does not fit the kind of lock %s is", verb->word, name);
    }
    struct step *step = add_step(parser, STEP_LOCK, lock);
    step->mode = verb->mode;
    step->attempt = verb->attempt;
    step->timed = verb->timed;
    step->label = parser->label;
}

static bool lock_statement(struct step_parser *parser, const struct words *words) {
    for (size_t i = 0; i < sizeof lock_verbs / sizeof *lock_verbs; i++) {
        if (strcmp(words->list.at[0], lock_verbs[i].word) != 0) {
            continue;
        }
        for (size_t j = 1; j < words->list.count; j++) {
            add_lock(parser, &lock_verbs[i], words->list.at[j]);
        }
        return words->list.count > 1;
    }
    return false;
}

static size_t operand_index(struct step_parser *parser, enum operand operand, const char *name) {
    static const enum object_kind kinds[] = {[OF_LOCKS] = OBJECT_LOCK,
                                             [OF_BARRIER] = OBJECT_BARRIER,
                                             [OF_SIGNAL] = OBJECT_SIGNAL,
                                             [OF_CONDITION] = OBJECT_CONDITION};
    if (operand == OF_THREAD) {
        return thread_find(parser->scenario, name, true);
    }
    return object_find(parser->scenario, parser->line->line, name, kinds[operand]);
}

static bool plain_statement(struct step_parser *parser, const struct words *words) {
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(words->list.at[0], verbs[i].word) != 0) {
            continue;
        }
        if (verbs[i].operand == NO_OPERAND) {
            add_step(parser, verbs[i].kind, 0);
            return words->list.count == 1;
        }
        for (size_t j = 1; j < words->list.count; j++) {
            size_t object = operand_index(parser, verbs[i].operand, words->list.at[j]);
            add_step(parser, verbs[i].kind, object);
            if (verbs[i].kind == STEP_CREATE) {
                parser->scenario->threads.at[object].created = true;
            }
        }
        return words->list.count > 1;
    }
    return false;
}

static size_t find_counting(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->objects.count; i++) {
        if (scenario->objects.at[i].counts && strcmp(scenario->objects.at[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* wait S, trywait S, timedwait S, post S, of a semaphore that counts */
static bool semaphore_statement(struct step_parser *parser, const struct words *words) {
    const char *verb = words->list.at[0];
    bool attempt = strcmp(verb, "trywait") == 0, timed = strcmp(verb, "timedwait") == 0;
    bool post = strcmp(verb, "post") == 0;
    if (words->list.count != 2 || !(attempt || timed || post || strcmp(verb, "wait") == 0)) {
        return false;
    }
    size_t semaphore = find_counting(parser->scenario, words->list.at[1]);
    if (semaphore == SIZE_MAX) {
        return false;
    }
    struct step *step = add_step(parser, post ? STEP_GIVE : STEP_TAKE, semaphore);
    step->mode = LGR_EXCLUSIVE;
    step->attempt = attempt;
    step->timed = timed;
    step->label = parser->label;
    return true;
}

/* wait S (a semaphore), wait C M (a condition with its mutex) */
static bool wait_statement(struct step_parser *parser, const struct words *words) {
    if (strcmp(words->list.at[0], "wait") != 0 || words->list.count < 2 || words->list.count > 3) {
        return false;
    }
    int line = parser->line->line;
    if (words->list.count == 2) {
        add_step(parser, STEP_WAIT, object_find(parser->scenario, line, words->list.at[1], OBJECT_SIGNAL));
        return true;
    }
    size_t condition = object_find(parser->scenario, line, words->list.at[1], OBJECT_CONDITION);
    size_t mutex = object_find(parser->scenario, line, words->list.at[2], OBJECT_LOCK);
    struct step *step = add_step(parser, STEP_CONDITION_WAIT, condition);
    step->other = mutex;
    step->label = parser->label;
    return true;
}

/* reuse A as B, hand-over A to T2 */
static bool move_statement(struct step_parser *parser, const struct words *words) {
    bool reuse = strcmp(words->list.at[0], "reuse") == 0;
    if ((!reuse && strcmp(words->list.at[0], "hand-over") != 0) || words->list.count != 4 ||
        strcmp(words->list.at[2], reuse ? "as" : "to") != 0) {
        return false;
    }
    int line = parser->line->line;
    size_t lock = object_find(parser->scenario, line, words->list.at[1], OBJECT_LOCK);
    size_t other = reuse ? object_find(parser->scenario, line, words->list.at[3], OBJECT_LOCK)
                         : thread_find(parser->scenario, words->list.at[3], true);
    add_step(parser, reuse ? STEP_REUSE : STEP_HAND_OVER, lock)->other = other;
    return true;
}

static size_t find_label(struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->labels.count; i++) {
        if (strcmp(scenario->labels.at[i], name) == 0) {
            return i + 1;
        }
    }
    *ADD(&scenario->labels) = text_copy(name);
    return scenario->labels.count;
}

/* `at LABEL` stands before a locking step. */
static void take_label(struct step_parser *parser, struct words *words) {
    parser->label = 0;
    if (words->list.count < 3 || strcmp(words->list.at[0], "at") != 0) {
        return;
    }
    parser->label = find_label(parser->scenario, words->list.at[1]);
    free(words->list.at[0]);
    free(words->list.at[1]);
    words->list.count -= 2;
    memmove(words->list.at, words->list.at + 2, words->list.count * sizeof *words->list.at);
}

static bool event_statement(struct step_parser *parser, const struct words *words) {
    if (words->list.count != 1) {
        return false;
    }
    if (strcmp(words->list.at[0], "timeout") == 0) {
        parser->line->event = EVENT_TIMEOUT;
    } else if (strcmp(words->list.at[0], "again") == 0) {
        parser->line->event = EVENT_AGAIN;
    }
    return parser->line->event != EVENT_NONE;
}

static void statement(struct step_parser *parser, const char *text) {
    struct words words = {0};
    words_split(parser->scenario, parser->line->line, text, &words);
    if (words.list.count > 0) {
        take_label(parser, &words);
        if (!semaphore_statement(parser, &words) && !lock_statement(parser, &words) &&
            !plain_statement(parser, &words) && !wait_statement(parser, &words) &&
            !move_statement(parser, &words) && !event_statement(parser, &words)) {
            parse_fail(parser->scenario, parser->line->line, "'%s' is no step", text);
        }
    }
    words_free(&words);
}

void parse_steps(struct scenario *scenario, int line, size_t thread, char *text) {
    struct step_parser parser = {.scenario = scenario, .line = ADD(&scenario->lines)};
    char *part;
    parser.line->thread = thread;
    parser.line->line = line;
    while ((part = strsep(&text, ";"))) {
        statement(&parser, part);
    }
    if (parser.line->event != EVENT_NONE && parser.line->steps.count > 0) {
        parse_fail(scenario, line, "timeout and again stand alone in their line");
    }
}
