#include "sqlite_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "stacks.h"

#define MOST_STACKS   (3u << 19) /* that are remembered */
#define MOST_RESOLVED 4096u      /* places whose frames the symbols keep */

/* A place in the code: a frame of each function that was inlined there, and the function's. */
struct place {
    const char *module; /* the model's pointer, the same for one module; NULL: none */
    uint64_t offset;
    uint32_t first; /* number of the innermost frame; the others follow it */
    uint16_t count; /* 0: in the runtime, left out */
    uint16_t site;  /* innermost frame that a stack can be named by; count: none */
};
#define LEFT_OUT 1 /* site of such a place, which tells its slot from a free one */

struct place_set {
    size_t count, slots; /* slots: a power of two */
    struct place *list;
};

struct known_stack {
    uint64_t key; /* of what it is made of: two that are alike are as good as impossible */
    int64_t id;   /* 0: a free slot */
};
struct stack_set {
    size_t count, slots;
    struct known_stack *list;
};

struct sqlite_stacks {
    struct model *model;
    struct sqlite_tables *tables;
    struct place_set places;
    struct stack_set known;
    size_t resolved;
    int64_t frame_count, stack_count;
    size_t depth, room; /* of the stack that is being put together */
    uint32_t *frames;
};

static uint64_t mixed(uint64_t word) {
    word = (word ^ word >> 32) * 0x9e3779b97f4a7c15u;
    return word ^ word >> 29;
}

/* ---- places ---- */

static bool is_used(const struct place *place) { return place->count || place->site; }

static struct place *place_slot(const struct place_set *set, const char *module, uint64_t offset) {
    size_t at = (size_t)mixed((uintptr_t)module ^ mixed(offset)) & (set->slots - 1);
    while (is_used(&set->list[at]) && (set->list[at].offset != offset || set->list[at].module != module))
        at = (at + 1) & (set->slots - 1);
    return &set->list[at];
}

static void grow_places(struct place_set *set) {
    struct place_set larger = {.count = set->count, .slots = set->slots ? 2 * set->slots : 1024};
    larger.list = checked_zeroed(larger.slots, sizeof *larger.list);
    for (size_t i = 0; i < set->slots; i++)
        if (is_used(&set->list[i]))
            *place_slot(&larger, set->list[i].module, set->list[i].offset) = set->list[i];
    free(set->list);
    *set = larger;
}

static const char *text_or_null(const char *text) { return text && text[0] ? text : NULL; }

static void add_frame(struct sqlite_stacks *stacks, const struct code_frame *frame) {
    sqlite_add(stacks->tables, TABLE_FRAME, "ititttob", ++stacks->frame_count, frame->module,
               (int64_t)frame->offset, text_or_null(frame->build_id), frame->function, frame->file,
               (int64_t)frame->line, (int)frame->inlined);
}

static bool names_stacks(const struct code_frame *frame) {
    return !frame_is_helper(frame) && !frame_is_bottom(frame);
}

static void add_place(struct sqlite_stacks *stacks, struct place *place, const struct code_frame *frames,
                      size_t count) {
    stacks->places.count++;
    if (frame_is_ours(&frames[0])) {
        place->site = LEFT_OUT;
        return;
    }
    place->count = (uint16_t)count;
    place->first = (uint32_t)stacks->frame_count + 1;
    while (place->site < count && !names_stacks(&frames[place->site]))
        place->site++;
    for (size_t i = 0; i < count; i++)
        add_frame(stacks, &frames[i]);
}

static struct place *room_for_place(struct sqlite_stacks *stacks, const char *module, uint64_t offset) {
    struct place_set *set = &stacks->places;
    if (4 * set->count >= 3 * set->slots)
        grow_places(set);
    struct place *place = place_slot(set, module, offset);
    place->module = module;
    place->offset = offset;
    return place;
}

static const struct place *place_of_location(struct sqlite_stacks *stacks,
                                             const struct model_process *process,
                                             const struct lgr_location *location) {
    struct symbols *symbols = stacks->model->symbols;
    const struct lgr_module_info *info = lgr_module_by_id(process->file, location->module);
    struct module_symbols *module = NULL;
    if (info)
        module = symbols_module(symbols, info->path, info->build_id, info->build_id_length);
    struct place *place = room_for_place(stacks, module ? module_path(module) : NULL, location->offset);
    if (is_used(place))
        return place;
    if (++stacks->resolved % MOST_RESOLVED == 0)
        symbols_forget_code(symbols);
    struct code_frames found = symbols_code(symbols, module, location->offset);
    add_place(stacks, place, found.frames, found.count);
    return place;
}

/* Of a stack of the model's, which has all frames of a place, one after the other. */
static const struct place *place_of_frames(struct sqlite_stacks *stacks, const struct code_frame *frames,
                                           size_t left) {
    struct place *place = room_for_place(stacks, frames[0].module, frames[0].offset);
    size_t count = 1;
    while (count < left && frames[count - 1].inlined)
        count++;
    if (!is_used(place))
        add_place(stacks, place, frames, count);
    return place;
}

/* ---- stacks ---- */

static struct known_stack *stack_slot(const struct stack_set *set, uint64_t key) {
    size_t at = (size_t)key & (set->slots - 1);
    while (set->list[at].id && set->list[at].key != key)
        at = (at + 1) & (set->slots - 1);
    return &set->list[at];
}

static void grow_stacks(struct stack_set *set) {
    struct stack_set larger = {.count = set->count, .slots = set->slots ? 2 * set->slots : 1024};
    larger.list = checked_zeroed(larger.slots, sizeof *larger.list);
    for (size_t i = 0; i < set->slots; i++)
        if (set->list[i].id)
            *stack_slot(&larger, set->list[i].key) = set->list[i];
    free(set->list);
    *set = larger;
}

static void forget_stacks(struct stack_set *set) {
    memset(set->list, 0, set->slots * sizeof *set->list);
    set->count = 0;
}

static struct known_stack *room_for_stack(struct stack_set *set, uint64_t key) {
    if (set->count >= MOST_STACKS)
        forget_stacks(set);
    else if (4 * set->count >= 3 * set->slots)
        grow_stacks(set);
    struct known_stack *known = stack_slot(set, key);
    known->key = key;
    set->count += known->id == 0;
    return known;
}

static void push_frame(struct sqlite_stacks *stacks, uint32_t frame) {
    if (stacks->depth == stacks->room) {
        stacks->room = stacks->room ? 2 * stacks->room : 64;
        stacks->frames = checked_resize(stacks->frames, stacks->room, sizeof *stacks->frames);
    }
    stacks->frames[stacks->depth++] = frame;
}

static void push_place(struct sqlite_stacks *stacks, const struct place *place) {
    for (uint32_t i = 0; i < place->count; i++)
        push_frame(stacks, place->first + i);
}

static uint64_t key_of(const struct sqlite_stacks *stacks, size_t site, bool partial) {
    uint64_t key = mixed(2 * site + partial + 1);
    for (size_t i = 0; i < stacks->depth; i++)
        key = mixed(key + stacks->frames[i]) * 0xff51afd7ed558ccdu;
    return mixed(key);
}

/* The one that was put together. */
static int64_t number_of(struct sqlite_stacks *stacks, size_t site, bool partial) {
    if (site >= stacks->depth)
        return 0;
    struct known_stack *known = room_for_stack(&stacks->known, key_of(stacks, site, partial));
    if (known->id)
        return known->id;
    known->id = ++stacks->stack_count;
    sqlite_add(stacks->tables, TABLE_STACK, "iib", known->id, (int64_t)stacks->frames[site], (int)partial);
    for (size_t i = 0; i < stacks->depth; i++)
        sqlite_add(stacks->tables, TABLE_STACK_FRAME, "iii", known->id, (int64_t)i,
                   (int64_t)stacks->frames[i]);
    return known->id;
}

int64_t sqlite_stack(struct sqlite_stacks *stacks, const struct stack *stack) {
    stacks->depth = 0;
    for (size_t left = stack->count; left;) {
        const struct place *place = place_of_frames(stacks, stack->frames + stack->count - left, left);
        push_place(stacks, place);
        left -= place->count && place->count < left ? place->count : left;
    }
    return number_of(stacks, stack->site, stack->partial);
}

int64_t sqlite_stack_of_context(struct sqlite_stacks *stacks, const struct model_process *process,
                                uint32_t context) {
    const struct lgr_context_info *info = lgr_context_by_id(process->file, context);
    size_t site = SIZE_MAX;
    stacks->depth = 0;
    for (size_t i = 0; info && i < info->frame_count; i++) {
        const struct place *place = place_of_location(stacks, process, &info->frames[i]);
        if (site == SIZE_MAX && place->site < place->count)
            site = stacks->depth + place->site;
        push_place(stacks, place);
    }
    return number_of(stacks, site == SIZE_MAX ? 0 : site, info && info->partial);
}

struct sqlite_stacks *sqlite_stacks_open(struct model *model, struct sqlite_tables *tables) {
    struct sqlite_stacks *stacks = checked_resize(NULL, 1, sizeof *stacks);
    *stacks = (struct sqlite_stacks){.model = model, .tables = tables};
    return stacks;
}

void sqlite_stacks_close(struct sqlite_stacks *stacks) {
    free(stacks->places.list);
    free(stacks->known.list);
    free(stacks->frames);
    free(stacks);
}
