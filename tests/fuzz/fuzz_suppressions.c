/* Feeds the suppression parser arbitrary bytes, and matches what it understood
 * against some of them.  What it accepts it must accept again when it is
 * written out line by line, with the same meaning. */
#include <string.h>

#include "replay.h"
#include "suppress.h"

static void must(bool holds) {
    if (!holds)
        abort();
}

static bool parse(struct pool *pool, struct suppressions *list, const char *text, size_t length) {
    struct text errors = {0};
    bool right = suppressions_parse(pool, list, "fuzz", text, length, &errors);
    must(right == (errors.length == 0));
    must(right == (list->file_count == 1));
    text_free(&errors);
    return right;
}

static void write_out(const struct suppressions *list, struct text *out) {
    for (size_t i = 0; i < list->count; i++) {
        /* On a line above: a quotation mark of the text may be closed by one of the reason. */
        if (list->list[i].reason)
            text_printf(out, "# %s\n", list->list[i].reason);
        text_add(out, list->list[i].text);
        text_add(out, "\n\n"); /* the empty line ends what a comment is the reason of */
    }
}

static bool clean(struct pool *pool, const char *text) { return strcmp(text_clean(pool, text), text) == 0; }

static void same(struct pool *pool, const struct suppression *a, const struct suppression *b) {
    must(a->part_count == b->part_count && !a->kind == !b->kind && a->part_count > 0);
    must(!a->kind || a->reason);
    for (size_t i = 0; i < a->part_count; i++) {
        must(a->parts[i].subject == b->parts[i].subject);
        /* Bytes that are no characters are told as \xNN, and are not those bytes any more. */
        if (clean(pool, a->parts[i].pattern))
            must(strcmp(a->parts[i].pattern, b->parts[i].pattern) == 0);
    }
}

static void match(const struct suppressions *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < list->list[i].part_count; k++) {
            const char *pattern = list->list[i].parts[k].pattern;
            must(!pattern_matches(pattern, text) || pattern_matches_path(pattern, text));
            must(strchr(pattern, '*') || pattern_matches(pattern, pattern));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pool pool = {0};
    struct suppressions list = {0}, again = {0};
    struct text out = {0};
    if (parse(&pool, &list, (const char *)data, size)) {
        write_out(&list, &out);
        must(parse(&pool, &again, text_string(&out), out.length));
        must(again.count == list.count);
        for (size_t i = 0; i < list.count; i++)
            same(&pool, &list.list[i], &again.list[i]);
        match(&list, pool_string_n(&pool, (const char *)data, size < 200 ? size : 200));
    }
    text_free(&out);
    pool_free(&pool);
    return 0;
}
