#include "seen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "order_ranges.h"
#include "order_words.h"
#include "stacks.h"
#include "text.h"

/* A module as the rules see it, looked through once. */
struct ranged {
    const struct module_symbols *module;
    struct order_ranges ranges;
};

struct gatherer {
    struct model *model;
    const struct order *order; /* NULL: none */
    const struct seen_splits *splits;
    struct seen seen;
    size_t class_room, pair_room;
    struct ranged *modules;
    size_t module_count;
    size_t *by_id; /* of the process that is gathered, by position in its file: index + 1, 0: not yet */
};

/* ---- what the order file says of a class ---- */

static const struct order_ranges *ranges_of(struct gatherer *gatherer, struct module_symbols *module) {
    for (size_t i = 0; i < gatherer->module_count; i++)
        if (gatherer->modules[i].module == module)
            return &gatherer->modules[i].ranges;
    gatherer->modules =
        checked_resize(gatherer->modules, gatherer->module_count + 1, sizeof *gatherer->modules);
    struct ranged *added = &gatherer->modules[gatherer->module_count++];
    *added = (struct ranged){.module = module};
    order_ranges_of(gatherer->order, &gatherer->model->pool, gatherer->model->symbols, module, &added->ranges,
                    NULL);
    return &added->ranges;
}

static size_t declared_at(struct gatherer *gatherer, const struct model_process *process,
                          const struct lgr_location *location, uint64_t offset, enum lgr_order_what what) {
    const struct lgr_module_info *info = lgr_module_by_id(process->file, location->module);
    if (!info)
        return SIZE_MAX;
    const struct order_ranges *ranges =
        ranges_of(gatherer, symbols_module(gatherer->model->symbols, info->path, info->build_id,
                                           info->build_id_length));
    for (size_t i = 0; i < ranges->count; i++) {
        const struct lgr_order_range *range = &ranges->list[i];
        if (range->what == (uint32_t)what && offset >= range->start && offset < range->end)
            return range->class_index;
    }
    return SIZE_MAX;
}

/* As the runtime does it: the innermost function that a rule names decides. */
static size_t declared_by_calls(struct gatherer *gatherer, const struct model_process *process,
                                uint32_t context, enum lgr_order_what what) {
    const struct lgr_context_info *info = lgr_context_by_id(process->file, context);
    size_t found = SIZE_MAX;
    for (size_t i = 0; info && i < info->frame_count && found == SIZE_MAX; i++)
        found = declared_at(gatherer, process, &info->frames[i], info->frames[i].offset - 1, what);
    return found;
}

static size_t declared_class(struct gatherer *gatherer, const struct model_process *process,
                             const struct lgr_class_info *info) {
    if (!gatherer->order)
        return SIZE_MAX;
    if (info->kind == LGR_CLASS_NAMED)
        return order_class_named(gatherer->order, info->name);
    if (info->kind == LGR_CLASS_STATIC)
        return declared_at(gatherer, process, &info->variable, info->variable.offset, LGR_ORDER_VARIABLE);
    if (info->kind == LGR_CLASS_INIT)
        return declared_by_calls(gatherer, process, info->context, LGR_ORDER_CALL);
    if (info->kind == LGR_CLASS_GUESS)
        return declared_by_calls(gatherer, process, info->context, LGR_ORDER_USE);
    return SIZE_MAX;
}

/* ---- what tells a class ---- */

static const char *module_of(const struct model_process *process, const struct lgr_class_info *info,
                             const struct model_class *class) {
    if (info->kind == LGR_CLASS_STATIC) {
        const struct lgr_module_info *module = lgr_module_by_id(process->file, info->variable.module);
        return module ? module->path : NULL;
    }
    return class->init_at ? class->init_at->module : NULL;
}

/* Left out for the program itself: the file may get another name. */
static const char *in_module(struct pool *pool, const struct model_process *process, const char *module,
                             bool always) {
    if (!module || (!always && strcmp(module, process->exe) == 0))
        return "";
    return pool_printf(pool, " module %s", order_quoted(pool, base_name(module)));
}

/* "table[3].lock" as "table[*].lock", "table+0x40" as "table": the elements of an array
 * mostly play one role. */
static const char *of_any_element(struct pool *pool, const char *name) {
    const char *plus = strstr(name, "+0x");
    if (plus && plus != name)
        return pool_string_n(pool, name, (size_t)(plus - name));
    const char *result = "", *open;
    while ((open = strchr(name, '['))) {
        size_t digits = strspn(open + 1, "0123456789");
        bool index = digits && open[1 + digits] == ']';
        result = pool_printf(pool, "%s%.*s[%s", result, (int)(open - name), name, index ? "*" : "");
        name = open + 1 + (index ? digits : 0);
    }
    return pool_printf(pool, "%s%s", result, name);
}

static const char *variable_rule(struct pool *pool, const struct model_process *process,
                                 const struct seen_class *class, const char *name, bool nameless) {
    return pool_printf(pool, "variable %s%s", order_quoted(pool, name),
                       in_module(pool, process, class->module, nameless));
}

bool seen_has_rule(const char *const *rules, size_t count, const char *rule) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i], rule) == 0)
            return true;
    return false;
}

static bool is_split(const struct gatherer *gatherer, const char *rule) {
    const struct seen_splits *splits = gatherer->splits;
    return splits && seen_has_rule(splits->rules, splits->count, rule) &&
           !seen_has_rule(splits->whole, splits->whole_count, rule);
}

static const struct seen_run *run_of(const struct gatherer *gatherer, const struct seen_class *class) {
    for (size_t i = 0; gatherer->splits && i < gatherer->splits->run_count; i++) {
        const struct seen_run *run = &gatherer->splits->runs[i];
        if (class->offset >= run->first && class->offset <= run->last &&
            strcmp(run->module, class->module) == 0)
            return run;
    }
    return NULL;
}

/* By where it is, alone or with its like. */
static void describe_nameless(struct gatherer *gatherer, const struct model_process *process,
                              const char *offset, struct seen_class *class) {
    struct pool *pool = &gatherer->model->pool;
    class->offset = strtoull(offset + 1, NULL, 16);
    const struct seen_run *run = run_of(gatherer, class);
    if (run)
        offset = pool_printf(pool, "+0x%lx..+0x%lx", (unsigned long)run->first, (unsigned long)run->last);
    class->rule = variable_rule(pool, process, class, offset, true);
    if (run)
        class->name = pool_printf(pool, "%s%s", base_name(class->module), offset);
    class->function_rule = class->rule;
}

static void describe_variable(struct gatherer *gatherer, const struct model_process *process,
                              struct seen_class *class) {
    struct pool *pool = &gatherer->model->pool;
    const char *name = class->what->name, *file = class->module ? base_name(class->module) : "";
    size_t length = strlen(file);
    bool nameless = length && strncmp(name, file, length) == 0 && strncmp(name + length, "+0x", 3) == 0;
    class->name = name;
    if (!class->module)
        return;
    if (nameless) {
        describe_nameless(gatherer, process, name + length, class);
        return;
    }
    const char *any = of_any_element(pool, name);
    class->rule = variable_rule(pool, process, class, any, false);
    if (is_split(gatherer, class->rule))
        class->rule = variable_rule(pool, process, class, name, false);
    else
        class->name = any;
    class->function_rule = class->rule;
}

static void describe_by_frame(struct pool *pool, const struct model_process *process,
                              const struct code_frame *at, struct seen_class *class) {
    const char *module = in_module(pool, process, at->module, !at->name);
    if (at->name) {
        class->name = at->name;
        class->function_rule = pool_printf(pool, "init %s%s", order_quoted(pool, at->name), module);
    } else {
        class->function_rule = pool_printf(pool, "init +0x%lx%s", (unsigned long)at->offset, module);
    }
    class->rule = class->function_rule;
    if (at->name && at->file && at->line)
        class->rule = pool_printf(
            pool, "init %s at %s%s", order_quoted(pool, at->name),
            order_quoted(pool, pool_printf(pool, "%s:%u", base_name(at->file), at->line)), module);
}

/* By the call that reports name it by, or by a caller of it that tells it from others. */
static void describe_call(struct gatherer *gatherer, const struct model_process *process,
                          const struct lgr_class_info *info, struct seen_class *class) {
    struct stack stack = model_stack(gatherer->model, process, info->context);
    class->name = class->what->short_name;
    for (size_t i = stack.site; i < stack.count; i++) {
        const struct code_frame *at = &stack.frames[i];
        if (!at->module || (i > stack.site && frame_is_bottom(at)))
            return;
        describe_by_frame(&gatherer->model->pool, process, at, class);
        if (!is_split(gatherer, class->rule))
            return;
    }
}

/* By the function that takes it first, as far as that one has a name. */
static void describe_guess(struct gatherer *gatherer, const struct model_process *process,
                           const struct lgr_class_info *info, struct seen_class *class) {
    struct pool *pool = &gatherer->model->pool;
    struct stack stack = model_stack(gatherer->model, process, info->context);
    const struct code_frame *at = stack.site < stack.count ? &stack.frames[stack.site] : NULL;
    class->name = class->what->short_name;
    if (at && at->name)
        class->use_rule = pool_printf(pool, "use %s%s", order_quoted(pool, at->name),
                                      in_module(pool, process, at->module, false));
}

static struct seen_class describe(struct gatherer *gatherer, struct model_process *process,
                                  const struct lgr_class_info *info, uint64_t lock) {
    struct pool *pool = &gatherer->model->pool;
    struct seen_class class = {.what = model_class_of(gatherer->model, process, info->id),
                               .declared = declared_class(gatherer, process, info),
                               .kind = model_lock_of(gatherer->model, process, lock)->kind};
    class.guessed = info->kind == LGR_CLASS_GUESS && class.declared == SIZE_MAX;
    const char *module = module_of(process, info, class.what);
    class.module = module ? text_clean(pool, module) : NULL;
    if (class.declared != SIZE_MAX)
        class.name = gatherer->order->classes[class.declared].name;
    else if (info->kind == LGR_CLASS_STATIC)
        describe_variable(gatherer, process, &class);
    else if (info->kind == LGR_CLASS_INIT)
        describe_call(gatherer, process, info, &class);
    else if (class.guessed)
        describe_guess(gatherer, process, info, &class);
    else
        class.name = class.what->short_name;
    return class;
}

/* ---- classes and pairs ---- */

static bool same_class(const struct seen_class *one, const struct seen_class *other) {
    if (one->declared != SIZE_MAX || other->declared != SIZE_MAX)
        return one->declared == other->declared;
    if (one->rule && other->rule)
        return strcmp(one->rule, other->rule) == 0;
    return one->what == other->what;
}

static size_t add_class(struct gatherer *gatherer, const struct seen_class *class) {
    struct seen *seen = &gatherer->seen;
    for (size_t i = 0; i < seen->class_count; i++)
        if (same_class(&seen->classes[i], class)) {
            seen->classes[i].merged |= seen->classes[i].what != class->what;
            return i;
        }
    if (seen->class_count == gatherer->class_room) {
        gatherer->class_room = gatherer->class_room ? 2 * gatherer->class_room : 32;
        seen->classes = checked_resize(seen->classes, gatherer->class_room, sizeof *seen->classes);
    }
    seen->classes[seen->class_count] = *class;
    return seen->class_count++;
}

/* SIZE_MAX: the file does not say what it is. */
static size_t class_of(struct gatherer *gatherer, struct model_process *process, uint32_t id, uint64_t lock) {
    size_t count;
    const struct lgr_class_info *infos = lgr_classes(process->file, &count);
    const struct lgr_class_info *info = lgr_class_by_id(process->file, id);
    if (!info)
        return SIZE_MAX;
    size_t *known = &gatherer->by_id[info - infos];
    if (!*known) {
        struct seen_class class = describe(gatherer, process, info, lock);
        *known = add_class(gatherer, &class) + 1;
    }
    return *known - 1;
}

static struct seen_pair *pair_of(struct gatherer *gatherer, size_t from, size_t to) {
    struct seen *seen = &gatherer->seen;
    for (size_t i = 0; i < seen->pair_count; i++)
        if (seen->pairs[i].from == from && seen->pairs[i].to == to)
            return &seen->pairs[i];
    if (seen->pair_count == gatherer->pair_room) {
        gatherer->pair_room = gatherer->pair_room ? 2 * gatherer->pair_room : 64;
        seen->pairs = checked_resize(seen->pairs, gatherer->pair_room, sizeof *seen->pairs);
    }
    struct seen_pair *pair = &seen->pairs[seen->pair_count++];
    *pair = (struct seen_pair){.from = from, .to = to};
    seen->classes[from].outer += from != to;
    seen->classes[to].inner += from != to;
    return pair;
}

static void compare_addresses(struct model *model, struct model_process *process, const struct lgr_edge *edge,
                              struct seen_pair *pair) {
    const struct lgr_lock_info *from = lgr_lock_by_id(process->file, edge->from_lock);
    const struct lgr_lock_info *to = lgr_lock_by_id(process->file, edge->to_lock);
    if (!from || !to)
        return;
    if (from->address < to->address) {
        pair->ascending++;
    } else if (pair->descending++ == 0) {
        pair->descending_held_at = model_stack(model, process, edge->held_context);
        pair->descending_requested_at = model_stack(model, process, edge->request_context);
    }
}

/* ---- who takes it ---- */

/* "worker-*" of "worker-12": which of several it was is chance. */
static const char *name_of_its_kind(struct pool *pool, const char *name) {
    size_t length = strlen(name);
    while (length != 0 && name[length - 1] >= '0' && name[length - 1] <= '9')
        length--;
    return length == 0 || name[length] == '\0' ? name : pool_printf(pool, "%.*s*", (int)length, name);
}

static void add_thread(struct seen_class *class, const char *name) {
    size_t at = 0;
    while (at < class->thread_count && strcmp(class->threads[at], name) < 0)
        at++;
    if (class->thread_count == SEEN_THREADS ||
        (at < class->thread_count && strcmp(class->threads[at], name) == 0))
        return;
    for (size_t i = class->thread_count++; i > at; i--)
        class->threads[i] = class->threads[i - 1];
    class->threads[at] = name;
}

static void add_use(struct gatherer *gatherer, const struct model_process *process, size_t index,
                    uint32_t thread, uint32_t context) {
    struct seen_class *class = &gatherer->seen.classes[index];
    const struct model_thread *by = model_thread_of(gatherer->model, process, thread);
    add_thread(class, name_of_its_kind(&gatherer->model->pool, by->name));
    if (class->taken_at.count == 0)
        class->taken_at = model_stack(gatherer->model, process, context);
}

static void add_edge(struct gatherer *gatherer, struct model_process *process, const struct lgr_edge *edge) {
    size_t from = class_of(gatherer, process, edge->from_class, edge->from_lock);
    size_t to = class_of(gatherer, process, edge->to_class, edge->to_lock);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return;
    add_use(gatherer, process, from, edge->thread, edge->held_context);
    add_use(gatherer, process, to, edge->thread, edge->request_context);
    struct seen_pair *pair = pair_of(gatherer, from, to);
    if (pair->sightings++ == 0) {
        pair->held_at = model_stack(gatherer->model, process, edge->held_context);
        pair->requested_at = model_stack(gatherer->model, process, edge->request_context);
        stacks_tell_apart(&pair->held_at, &pair->requested_at);
    }
    compare_addresses(gatherer->model, process, edge, pair);
}

static void gather(struct gatherer *gatherer, struct model_process *process) {
    size_t count;
    lgr_classes(process->file, &count);
    gatherer->by_id = pool_array(&gatherer->model->pool, count + 1, sizeof *gatherer->by_id);
    for (size_t i = 0; i < lgr_edge_count(process->file); i++)
        add_edge(gatherer, process, lgr_edge_at(process->file, i));
}

/* ---- the same order in every run ---- */

static int compare_classes(const void *a, const void *b) {
    const struct seen_class *one = *(const struct seen_class *const *)a;
    const struct seen_class *other = *(const struct seen_class *const *)b;
    int by_name = strcmp(one->name, other->name);
    return by_name ? by_name : strcmp(one->rule ? one->rule : "", other->rule ? other->rule : "");
}

static int compare_pairs(const void *a, const void *b) {
    const struct seen_pair *one = a, *other = b;
    if (one->from != other->from)
        return one->from < other->from ? -1 : 1;
    return one->to < other->to ? -1 : one->to > other->to;
}

static void sort(struct model *model, struct seen *seen) {
    const struct seen_class **order = pool_array(&model->pool, seen->class_count + 1, sizeof *order);
    struct seen_class *sorted = pool_array(&model->pool, seen->class_count + 1, sizeof *sorted);
    size_t *place = pool_array(&model->pool, seen->class_count + 1, sizeof *place);
    for (size_t i = 0; i < seen->class_count; i++)
        order[i] = &seen->classes[i];
    qsort(order, seen->class_count, sizeof *order, compare_classes);
    for (size_t i = 0; i < seen->class_count; i++) {
        sorted[i] = *order[i];
        place[order[i] - seen->classes] = i;
    }
    struct seen_pair *pairs = pool_array(&model->pool, seen->pair_count + 1, sizeof *pairs);
    for (size_t i = 0; i < seen->pair_count; i++) {
        pairs[i] = seen->pairs[i];
        pairs[i].from = place[pairs[i].from];
        pairs[i].to = place[pairs[i].to];
    }
    qsort(pairs, seen->pair_count, sizeof *pairs, compare_pairs);
    free(seen->classes);
    free(seen->pairs);
    seen->classes = sorted;
    seen->pairs = pairs;
}

struct seen seen_in(struct model *model, const struct order *order, const struct seen_splits *splits) {
    struct gatherer gatherer = {.model = model, .order = order, .splits = splits};
    for (size_t i = 0; i < model->process_count; i++)
        gather(&gatherer, &model->processes[i]);
    sort(model, &gatherer.seen);
    for (size_t i = 0; i < gatherer.module_count; i++)
        free(gatherer.modules[i].ranges.list);
    free(gatherer.modules);
    return gatherer.seen;
}
