#include "stacks.h"

#include <string.h>

/* Prefixes of functions that take locks on behalf of their caller. */
static const char *const helper_prefixes[] = {
    "pthread_",
    "__pthread_",
    "___pthread_",
    "mtx_",
    "cnd_",
    "thrd_",
    "sem_",
    "__gthread",
    "std::",
    "__gnu_cxx::",
    "boost::unique_lock",
    "boost::mutex",
    "boost::lock_guard",
};
/* Endings that lock wrappers have across code bases; compared without case. */
static const char *const helper_endings[] = {
    "mutex_lock",  "mutex_trylock",   "mutex_timedlock", "mutex_acquire", "mutex_enter", "lockmutex",
    "mutex::lock", "mutex_lock_impl", "mutex::trylock",  "lock_mutex",    "rdlock",      "wrlock",
};

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcasecmp(text + length - tail, ending) == 0;
}

/* "AutoLock", "lock_guard"; not "Blockchain". */
static bool speaks_of_locks(const char *word) {
    return strstr(word, "Lock") || strstr(word, "Guard") || starts_with(word, "lock") ||
           starts_with(word, "guard") || strstr(word, "_lock") || strstr(word, "_guard");
}

/* The constructor of a guard class: MutexLocker::MutexLocker, Guard<M>::Guard. */
static bool is_guard_constructor(const char *name) {
    const char *last = strrchr(name, ':');
    size_t length = last ? strlen(last + 1) : 0;
    if (length == 0 || !speaks_of_locks(last + 1))
        return false;
    const char *class = strstr(name, last + 1);
    bool starts_component = class == name || class[-1] == ':';
    return class < last && starts_component && (class[length] == ':' || class[length] == '<');
}

bool frame_is_helper(const struct code_frame *frame) {
    if (!frame->name)
        return false;
    for (size_t i = 0; i < sizeof helper_prefixes / sizeof *helper_prefixes; i++)
        if (starts_with(frame->name, helper_prefixes[i]))
            return true;
    for (size_t i = 0; i < sizeof helper_endings / sizeof *helper_endings; i++)
        if (ends_with(frame->name, helper_endings[i]))
            return true;
    return is_guard_constructor(frame->name);
}

/* The libraries below every thread's own code. */
bool frame_in_base_library(const struct code_frame *frame) {
    static const char *const names[] = {"libc.so", "libc-", "libpthread", "ld-", "libstdc++", "libgcc_s"};
    const char *module = frame->module ? base_name(frame->module) : "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (starts_with(module, names[i]))
            return true;
    return false;
}

bool frame_is_bottom(const struct code_frame *frame) {
    static const char *const names[] = {"start_thread", "clone",        "__clone",
                                        "__GI___clone", "__libc_start", "execute_native_thread"};
    if (!frame->name)
        return frame_in_base_library(frame);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (starts_with(frame->name, names[i]))
            return frame_in_base_library(frame);
    return strcmp(frame->name, "_start") == 0;
}

bool frame_is_ours(const struct code_frame *frame) {
    return frame->module && strncmp(base_name(frame->module), "liblockgraph.so", 15) == 0;
}

struct stack stack_of(const struct code_frame *frames, size_t count, bool partial) {
    size_t first = 0;
    while (first < count && (frame_is_helper(&frames[first]) || frame_is_bottom(&frames[first])))
        first++;
    if (first == count)
        first = 0;
    return (struct stack){count, frames, first, first, partial};
}

size_t stack_end(const struct stack *stack) {
    size_t end = stack->count;
    while (end > 1 && (frame_is_bottom(&stack->frames[end - 1]) || frame_is_ours(&stack->frames[end - 1]) ||
                       (stack->frames[end - 1].name && starts_with(stack->frames[end - 1].name, "std::"))))
        end--;
    return end;
}

const char *frame_place(struct pool *pool, const struct code_frame *frame) {
    if (!frame)
        return "a place not recorded";
    if (frame->name && frame->file)
        return pool_printf(pool, "%s() %s:%u", frame->name, base_name(frame->file), frame->line);
    if (frame->name)
        return pool_printf(pool, "%s()+0x%lx in %s", frame->name, (unsigned long)frame->function_offset,
                           base_name(frame->module));
    return frame_short(pool, frame);
}

const char *frame_short(struct pool *pool, const struct code_frame *frame) {
    if (!frame)
        return "?";
    if (frame->file)
        return pool_printf(pool, "%s:%u", base_name(frame->file), frame->line);
    if (frame->name)
        return pool_printf(pool, "%s+0x%lx", frame->name, (unsigned long)frame->function_offset);
    if (frame->module)
        return pool_printf(pool, "%s+0x%lx", base_name(frame->module), (unsigned long)frame->offset);
    return pool_printf(pool, "0x%lx", (unsigned long)frame->offset);
}

const char *frame_identity(struct pool *pool, const struct code_frame *frame) {
    if (!frame || !frame->module)
        return "?";
    const char *module = unversioned_name(pool, frame->module);
    if (!frame->function)
        return pool_printf(pool, "%s+%lx", frame->build_id[0] ? frame->build_id : module,
                           (unsigned long)frame->offset);
    if (frame->line && frame->function_line && frame->line >= frame->function_line)
        return pool_printf(pool, "%s!%s:%u", module, frame->function, frame->line - frame->function_line);
    return pool_printf(pool, "%s!%s+%lx", module, frame->function, (unsigned long)frame->function_offset);
}

/* Frames below main or a thread's routine depend on libc, not on the program. */
const char *stack_identity(struct pool *pool, const struct stack *stack, size_t callers) {
    const char *identity = "";
    bool inlined = false;
    for (size_t i = stack->first; i < stack->count; i++) {
        const struct code_frame *frame = &stack->frames[i];
        bool named = i <= stack->site || inlined;
        if (frame_is_bottom(frame) || (!named && callers-- == 0))
            break;
        identity = pool_printf(pool, "%s<%s", identity, frame_identity(pool, frame));
        inlined = frame->inlined;
    }
    return identity;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_place(const struct code_frame *a, const struct code_frame *b) {
    if (a->line && b->line)
        return a->line == b->line && same_text(a->file, b->file) && same_text(a->function, b->function);
    return a->offset == b->offset && same_text(a->module, b->module);
}

void stacks_tell_apart(struct stack *a, struct stack *b) {
    for (size_t up = 0; a->site + up < a->count && b->site + up < b->count; up++) {
        const struct code_frame *left = &a->frames[a->site + up], *right = &b->frames[b->site + up];
        if (frame_is_bottom(left) || frame_is_bottom(right))
            return;
        if (same_place(left, right))
            continue;
        a->site += up;
        b->site += up;
        return;
    }
}
