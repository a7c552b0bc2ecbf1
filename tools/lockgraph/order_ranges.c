#include "order_ranges.h"

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code_search.h"
#include "demangle.h"
#include "suppress.h"
#include "symbols_table.h"

enum { WHOLE_LOCK = 56, LARGEST_WALKED = 1 << 20, LOCK_STEP = 4 }; /* bytes */

struct search {
    const struct order_rule *rule;
    struct pool *pool;
    struct symbols *symbols;
    struct module_symbols *module;
    struct spans spans;
};

/* ---- variables ---- */

/* Parts of a variable, "sessions[*].lock", by the names that reports have for them. */
static void add_parts(struct search *search, const struct symbol *symbol) {
    for (uint64_t at = 0; at < symbol->size; at += LOCK_STEP) {
        struct variable part = symbols_variable(search->symbols, search->module, symbol->address + at);
        if (part.displacement == 0 && pattern_matches(search->rule->variable, part.name))
            spans_add(&search->spans, symbol->address + at, symbol->address + at + LOCK_STEP);
    }
}

/* "table+0x40", or "+0x4010" in a file without symbols. */
static bool split_offset(struct pool *pool, const char *text, const char **name, uint64_t *offset) {
    char *plus = strrchr(text, '+'), *end = NULL;
    if (!plus || strncmp(plus, "+0x", 3) != 0)
        return false;
    *offset = strtoull(plus + 3, &end, 16);
    *name = pool_string_n(pool, text, (size_t)(plus - text));
    return end != plus + 3 && *end == 0;
}

static void add_variable(struct search *search, const struct symbol *symbol) {
    const char *pattern = search->rule->variable, *name = demangled(search->pool, symbol->name, false), *base;
    uint64_t offset;
    if (split_offset(search->pool, pattern, &base, &offset)) {
        if (pattern_matches(base, name) && offset < symbol->size)
            spans_add(&search->spans, symbol->address + offset, symbol->address + offset + 1);
        return;
    }
    if (pattern_matches(pattern, name)) {
        spans_add(&search->spans, symbol->address, symbol->address + symbol->size);
        return;
    }
    size_t head = strcspn(pattern, ".[");
    if (pattern[head] && symbol->size > WHOLE_LOCK && symbol->size <= LARGEST_WALKED &&
        pattern_matches(pool_string_n(search->pool, pattern, head), name))
        add_parts(search, symbol);
}

/* "+0x4010..+0x4100": what lies side by side in a file without symbols. */
static bool split_run(const char *text, uint64_t *first, uint64_t *last) {
    unsigned long long from, to;
    int length = 0;
    if (sscanf(text, "+0x%llx..+0x%llx%n", &from, &to, &length) != 2 || text[length] || from > to)
        return false;
    *first = from;
    *last = to;
    return true;
}

static void add_variables(struct search *search) {
    uint64_t first, last;
    if (split_run(search->rule->variable, &first, &last)) {
        spans_add(&search->spans, first, last + 1);
        return;
    }
    const char *base;
    uint64_t offset;
    if (split_offset(search->pool, search->rule->variable, &base, &offset) && !*base) {
        spans_add(&search->spans, offset, offset + 1);
        return;
    }
    const struct symbol_table *table = module_table(search->module);
    for (size_t i = 0; table && i < table->count; i++) {
        const struct symbol *symbol = &table->symbols[i];
        if ((symbol->type == STT_OBJECT || symbol->type == STT_NOTYPE) && symbol->size)
            add_variable(search, symbol);
    }
}

/* ---- calls ---- */

/* The system's own: they make no locks that others order, and are large. */
static bool is_system(const char *path) {
    static const char *const names[] = {"libc.so.",      "ld-linux",     "libm.so.",
                                        "libstdc++.so.", "libgcc_s.so.", "liblockgraph.so"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(base_name(path), names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void add_calls(struct search *search) {
    const struct order_rule *rule = search->rule;
    struct spans lines = {0};
    const char *base;
    uint64_t offset;
    if (rule->function && split_offset(search->pool, rule->function, &base, &offset) && !*base) {
        spans_add(&search->spans, offset - 1, offset); /* where the call returns to, as reports show it */
        return;
    }
    if (!rule->module && is_system(module_path(search->module)))
        return;
    if (rule->function)
        find_functions(search->pool, search->module, rule->function, &search->spans);
    if (!rule->source || (rule->function && search->spans.count == 0))
        return;
    find_lines(search->pool, search->module, rule->source, rule->source_line, &lines);
    if (rule->function) {
        struct spans both = spans_common(&search->spans, &lines);
        spans_free(&search->spans);
        spans_free(&lines);
        search->spans = both;
    } else {
        search->spans = lines;
    }
}

/* ---- rules ---- */

static void add_all(struct order_ranges *ranges, const struct search *search, enum lgr_order_what what) {
    for (size_t i = 0; i < search->spans.count; i++) {
        if (ranges->count == ranges->room) {
            ranges->room = ranges->room ? 2 * ranges->room : 32;
            ranges->list = checked_resize(ranges->list, ranges->room, sizeof *ranges->list);
        }
        ranges->list[ranges->count++] =
            (struct lgr_order_range){search->spans.list[i].start, search->spans.list[i].end,
                                     (uint32_t)search->rule->class_index, what};
    }
}

static bool by_module_alone(const struct order_rule *rule) {
    return !rule->variable && !rule->function && !rule->source;
}

static void add_rule(struct search *search, struct order_ranges *ranges, size_t *uses) {
    const struct order_rule *rule = search->rule;
    bool everything = by_module_alone(rule);
    if (everything)
        spans_add(&search->spans, 0, UINT64_MAX);
    else if (rule->variable)
        add_variables(search);
    else
        add_calls(search);
    if (everything || rule->variable)
        add_all(ranges, search, LGR_ORDER_VARIABLE);
    if (!rule->variable)
        add_all(ranges, search, rule->use ? LGR_ORDER_USE : LGR_ORDER_CALL);
    if (uses && search->spans.count)
        ++*uses;
    spans_free(&search->spans);
}

/* ---- which of two counts ---- */

struct placed {
    struct lgr_order_range range;
    size_t index;
};

static int narrower_first(const void *a, const void *b) {
    const struct placed *one = a, *other = b;
    uint64_t size = one->range.end - one->range.start, other_size = other->range.end - other->range.start;
    if (size != other_size)
        return size < other_size ? -1 : 1;
    return one->index < other->index ? -1 : one->index > other->index;
}

/* What is inlined lies within what it is inlined into, a line within its function. */
static void sort(struct lgr_order_range *list, size_t count) {
    struct placed *placed = checked_resize(NULL, count + 1, sizeof *placed);
    for (size_t i = 0; i < count; i++)
        placed[i] = (struct placed){list[i], i};
    qsort(placed, count, sizeof *placed, narrower_first);
    for (size_t i = 0; i < count; i++)
        list[i] = placed[i].range;
    free(placed);
}

void order_ranges_of(const struct order *order, struct pool *pool, struct symbols *symbols,
                     struct module_symbols *module, struct order_ranges *ranges, size_t *uses) {
    size_t before = ranges->count;
    for (size_t i = 0; i < order->rule_count; i++) {
        struct search search = {&order->rules[i], pool, symbols, module, {0}};
        if (!search.rule->module || pattern_matches_path(search.rule->module, module_path(module)))
            add_rule(&search, ranges, uses ? &uses[i] : NULL);
    }
    if (ranges->count > before)
        sort(ranges->list + before, ranges->count - before);
}
