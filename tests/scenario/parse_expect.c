/* `expect` lines. */
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

struct expectation_parser {
    const struct scenario *scenario;
    const struct words *words;
    size_t next;
    struct expectation *expectation;
};

static const struct {
    enum lgr_kind kind;
    const char *text;
} kinds[] = {{LGR_KIND_ORDER_CYCLE, "order-cycle"},
             {LGR_KIND_DEADLOCK, "deadlock"},
             {LGR_KIND_SELF_DEADLOCK, "self-deadlock"},
             {LGR_KIND_STALL, "stall"},
             {LGR_KIND_LEVEL_VIOLATION, "level-violation"}};
static const struct {
    enum lgr_verdict verdict;
    const char *text;
} verdicts[] = {{LGR_VERDICT_SINGLE_THREAD, "single-thread"},
                {LGR_VERDICT_GATED, "gated"},
                {LGR_VERDICT_ORDERED, "ordered"},
                {LGR_VERDICT_ACROSS_RUNS, "across-runs"},
                {LGR_VERDICT_CLASS_PATTERN, "class-pattern"},
                {LGR_VERDICT_TIMED, "timed"},
                {LGR_VERDICT_FEASIBLE, "feasible"},
                {LGR_VERDICT_CONFIRMED, "confirmed"},
                {LGR_VERDICT_ACTUAL, "actual"}};
static const struct {
    enum lgr_reason reason;
    const char *text;
} reasons[] = {{LGR_REASON_NONE, "none"},           {LGR_REASON_GATE, "gate"},
               {LGR_REASON_CREATE, "create"},       {LGR_REASON_JOIN, "join"},
               {LGR_REASON_BARRIER, "barrier"},     {LGR_REASON_SEMAPHORE, "semaphore"},
               {LGR_REASON_CONDITION, "condition"}, {LGR_REASON_ONCE, "once"},
               {LGR_REASON_SWITCH, "switch"},       {LGR_REASON_GUESSED_CLASS, "guessed-class"},
               {LGR_REASON_THREAD, "thread"},       {LGR_REASON_QUEUE, "queue"}};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const char *kind_text(enum lgr_kind kind) {
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].text;
        }
    }
    return "unknown-kind";
}

const char *verdict_text(enum lgr_verdict verdict) {
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        if (verdicts[i].verdict == verdict) {
            return verdicts[i].text;
        }
    }
    return "no-verdict";
}

const char *reason_text(enum lgr_reason reason) {
    for (size_t i = 0; i < COUNT(reasons); i++) {
        if (reasons[i].reason == reason) {
            return reasons[i].text;
        }
    }
    return "unknown-reason";
}

static const char *peek(const struct expectation_parser *parser) {
    return parser->next < parser->words->list.count ? parser->words->list.at[parser->next] : "";
}

static bool take_word(struct expectation_parser *parser, const char *word) {
    if (strcmp(peek(parser), word) != 0) {
        return false;
    }
    parser->next++;
    return true;
}

static bool at_clause(const struct expectation_parser *parser) {
    static const char *const clauses[] = {"", "by", "reason", "contexts", "if", "in"};
    for (size_t i = 0; i < COUNT(clauses); i++) {
        if (strcmp(peek(parser), clauses[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void take_reason(struct expectation_parser *parser) {
    struct expectation *expectation = parser->expectation;
    for (size_t i = 0; i < COUNT(reasons); i++) {
        if (take_word(parser, reasons[i].text)) {
            expectation->has_reason = true;
            expectation->reason = reasons[i].reason;
            if (!at_clause(parser)) {
                expectation->reason_name = text_copy(parser->words->list.at[parser->next++]);
            }
            return;
        }
    }
    parse_fail(parser->scenario, expectation->line, "'%s' is no reason", peek(parser));
}

/* contexts HELD>REQUEST, one pair for each edge of the ring */
static void take_contexts(struct expectation_parser *parser) {
    while (!at_clause(parser)) {
        char *copy = text_copy(parser->words->list.at[parser->next++]), *rest = copy;
        char *held = strsep(&rest, ">");
        if (!rest) {
            parse_fail(parser->scenario, parser->expectation->line, "contexts HELD>REQUEST");
        }
        struct context_pair *pair = ADD(&parser->expectation->contexts);
        pair->held = text_copy(held);
        pair->request = text_copy(rest);
        free(copy);
    }
}

/* if stuck, if done, in some */
static bool take_when(struct expectation_parser *parser) {
    if (take_word(parser, "if")) {
        bool stuck = take_word(parser, "stuck");
        parser->expectation->when = stuck ? WHEN_STUCK : WHEN_DONE;
        return stuck || take_word(parser, "done");
    }
    parser->expectation->when = WHEN_SOME;
    return take_word(parser, "in") && take_word(parser, "some");
}

static void take_threads(struct expectation_parser *parser) {
    while (!at_clause(parser)) {
        const char *name = parser->words->list.at[parser->next++];
        if (thread_find((struct scenario *)(uintptr_t)parser->scenario, name, false) == SIZE_MAX) {
            parse_fail(parser->scenario, parser->expectation->line, "no thread is called %s", name);
        }
        *ADD(&parser->expectation->threads) = text_copy(name);
    }
}

static void take_clauses(struct expectation_parser *parser) {
    while (*peek(parser)) {
        if (take_word(parser, "by")) {
            take_threads(parser);
        } else if (take_word(parser, "reason")) {
            take_reason(parser);
        } else if (take_word(parser, "contexts")) {
            take_contexts(parser);
        } else if (!take_when(parser)) {
            parse_fail(parser->scenario, parser->expectation->line, "'%s' is not understood", peek(parser));
        }
    }
}

/* Wrong names here would make an expectation that nothing can meet: say so. */
static void check_name(const struct expectation_parser *parser, const char *name) {
    size_t stem = strcspn(name, "/");
    const struct scenario *scenario = parser->scenario;
    for (size_t i = 0; i < scenario->objects.count; i++) {
        if (strlen(scenario->objects.at[i].name) == stem &&
            strncmp(scenario->objects.at[i].name, name, stem) == 0) {
            return;
        }
    }
    for (size_t i = 0; i < scenario->classes.count; i++) {
        if (strcmp(scenario->classes.at[i].name, name) == 0) {
            return;
        }
    }
    if (thread_find((struct scenario *)(uintptr_t)scenario, name, false) == SIZE_MAX) {
        parse_fail(scenario, parser->expectation->line, "nothing is called %s", name);
    }
}

/* stall THREADS... */
static void stall(struct expectation_parser *parser) {
    parser->expectation->verdict = LGR_VERDICT_ACTUAL;
    take_threads(parser);
    take_clauses(parser);
    if (parser->expectation->threads.count == 0) {
        parse_fail(parser->scenario, parser->expectation->line, "which threads?");
    }
}

/* order-cycle VERDICT LOCKS... CLAUSES, deadlock LOCKS... CLAUSES */
static void finding(struct expectation_parser *parser) {
    struct expectation *expectation = parser->expectation;
    bool level = expectation->finding == LGR_KIND_LEVEL_VIOLATION;
    expectation->verdict = level ? 0 : LGR_VERDICT_ACTUAL;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        if (take_word(parser, verdicts[i].text)) {
            expectation->verdict = verdicts[i].verdict;
            break;
        }
    }
    while (!at_clause(parser)) {
        check_name(parser, peek(parser));
        *ADD(&expectation->locks) = text_copy(parser->words->list.at[parser->next++]);
    }
    take_clauses(parser);
    if (expectation->locks.count == 0) {
        parse_fail(parser->scenario, expectation->line, "which locks?");
    }
    if (expectation->threads.count > 0 && expectation->threads.count != expectation->locks.count) {
        parse_fail(parser->scenario, expectation->line, "one thread for each lock");
    }
}

static bool finding_kind(struct expectation_parser *parser) {
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (take_word(parser, kinds[i].text)) {
            parser->expectation->finding = kinds[i].kind;
            if (kinds[i].kind == LGR_KIND_STALL) {
                stall(parser);
            } else {
                finding(parser);
            }
            return true;
        }
    }
    return false;
}

/* silence; nothing above note; N findings; stuck THREADS */
static bool summary(struct expectation_parser *parser, struct scenario *scenario) {
    struct expectation *expectation = parser->expectation;
    if (take_word(parser, "silence")) {
        expectation->kind = EXPECT_SILENCE;
    } else if (take_word(parser, "nothing")) {
        expectation->kind = EXPECT_QUIET;
        scenario->tolerated = LGR_NOTE;
        if (!take_word(parser, "above") || !take_word(parser, "note")) {
            return false;
        }
    } else if (take_word(parser, "stuck")) {
        expectation->kind = EXPECT_STUCK;
        take_threads(parser);
    } else {
        expectation->kind = EXPECT_COUNT;
        expectation->count = strtoul(peek(parser), NULL, 10);
        parser->next++;
        if (!take_word(parser, "findings") && !take_word(parser, "finding")) {
            return false;
        }
    }
    take_clauses(parser);
    return true;
}

void parse_expectation(struct scenario *scenario, int line, const struct words *words, const char *text) {
    struct expectation_parser parser = {
        .scenario = scenario, .words = words, .next = 1, .expectation = ADD(&scenario->expectations)};
    parser.expectation->line = line;
    parser.expectation->text = text_copy(text + strcspn(text, " \t") + 1);
    if (!finding_kind(&parser) && !summary(&parser, scenario)) {
        parse_fail(scenario, line, "'%s' is no expectation", text);
    }
}
