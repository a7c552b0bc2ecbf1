#include "naming.h"

#include <string.h>

#include "kinds.h"
#include "stacks.h"
#include "text.h"

/* A variable or an offset in a module, and the same thing as an identity. */
struct static_name {
    const char *name, *identity; /* NULL: not static storage */
};

static struct module_symbols *module_of(struct model *model, const struct lgr_module_info *info) {
    return symbols_module(model->symbols, info->path, info->build_id, info->build_id_length);
}

static struct static_name static_name_at(struct model *model, const struct lgr_module_info *info,
                                         uint64_t offset) {
    struct module_symbols *module = module_of(model, info);
    struct variable variable = symbols_variable(model->symbols, module, offset);
    const char *file = base_name(module_path(module));
    struct static_name result;
    if (variable.name && variable.displacement)
        result.name =
            pool_printf(&model->pool, "%s+0x%lx", variable.name, (unsigned long)variable.displacement);
    else if (variable.name)
        result.name = variable.name;
    else
        result.name = pool_printf(&model->pool, "%s+0x%lx", file, (unsigned long)offset);
    bool by_file = variable.name || !module_build_id(module)[0];
    const char *where = by_file ? unversioned_name(&model->pool, file) : module_build_id(module);
    result.identity = pool_printf(&model->pool, "static %s!%s", where, result.name);
    return result;
}

static struct static_name static_name_of_location(struct model *model, const struct model_process *process,
                                                  const struct lgr_location *location) {
    const struct lgr_module_info *info = lgr_module_by_id(process->file, location->module);
    return info ? static_name_at(model, info, location->offset) : (struct static_name){0};
}

/* Only a named variable counts here: the address may as well be heap memory
 * that took the place of an unloaded module. */
static struct static_name static_name_of_address(struct model *model, const struct model_process *process,
                                                 uint64_t address) {
    size_t count = 0;
    const struct lgr_module_info *modules = lgr_modules(process->file, &count);
    for (size_t i = 0; i < count; i++) {
        const struct lgr_module_info *info = &modules[i];
        if (address < info->start || address >= info->end)
            continue;
        struct module_symbols *module = module_of(model, info);
        if (symbols_variable(model->symbols, module, address - info->bias).name)
            return static_name_at(model, info, address - info->bias);
    }
    return (struct static_name){0};
}

const char *name_of_address(struct model *model, const struct model_process *process, uint64_t address) {
    return static_name_of_address(model, process, address).name;
}

/* A class named by a call: `how` is "initialised" or "first taken". */
static void name_by_site(struct model *model, struct model_class *class, const struct stack *stack,
                         const char *how) {
    const struct code_frame *site = stack_site(stack);
    const char *place = frame_short(&model->pool, site);
    if (!site)
        class->name = pool_printf(&model->pool, "lock %s at a place not recorded", how);
    else if (site->name && site->file)
        class->name = pool_printf(&model->pool, "lock %s at %s (%s)", how, place, site->name);
    else
        class->name = pool_printf(&model->pool, "lock %s at %s", how, place);
    class->short_name = pool_printf(&model->pool, "lock(%s)", place);
}

static void name_static_class(struct model *model, const struct model_process *process,
                              const struct lgr_class_info *info, struct model_class *class) {
    struct static_name found = static_name_of_location(model, process, &info->variable);
    if (!found.name) {
        found.name = pool_printf(&model->pool, "lock at 0x%lx", (unsigned long)info->variable.offset);
        found.identity = found.name;
    }
    class->kind = "static";
    class->name = class->short_name = found.name;
    class->identity = found.identity;
}

static void name_class_by_call(struct model *model, const struct model_process *process,
                               const struct lgr_class_info *info, struct model_class *class) {
    bool init = info->kind == LGR_CLASS_INIT;
    struct stack stack = model_stack(model, process, info->context);
    name_by_site(model, class, &stack, init ? "initialised" : "first taken");
    class->kind = init ? "init" : "guess";
    if (init)
        class->init_at = stack_site(&stack);
    else
        class->first_taken_at = stack_site(&stack);
    /* Several initialisations may share a helper function: callers tell them apart. */
    class->identity =
        pool_printf(&model->pool, "%s %s", class->kind, stack_identity(&model->pool, &stack, init ? 4 : 0));
}

void name_class(struct model *model, const struct model_process *process, const struct lgr_class_info *info,
                struct model_class *class) {
    class->level = info->level;
    class->level_name = info->level_name ? text_clean(&model->pool, info->level_name) : NULL;
    if (info->kind == LGR_CLASS_NAMED) {
        class->kind = "named";
        class->name = class->short_name = text_clean(&model->pool, info->name);
        class->identity = pool_printf(&model->pool, "named %s", class->name);
    } else if (info->kind == LGR_CLASS_STATIC) {
        name_static_class(model, process, info, class);
    } else {
        name_class_by_call(model, process, info, class);
    }
}

/* "lock(queue.c:12)" as "mutex(queue.c:12)", now that the kind is known. */
static const char *with_kind(struct model *model, const char *name, const char *kind) {
    if (strncmp(name, "lock", 4) != 0 || strcmp(kind, "lock") == 0)
        return name;
    return pool_printf(&model->pool, "%s%s", kind, name + 4);
}

void name_lock(struct model *model, struct model_lock *lock) {
    const struct model_class *class = lock->class;
    if (!class) {
        lock->name = lock->short_name = pool_printf(&model->pool, "lock %lu", (unsigned long)lock->raw);
        lock->identity = "unknown";
        return;
    }
    bool by_call = class->init_at || class->first_taken_at || strcmp(class->kind, "guess") == 0 ||
                   strcmp(class->kind, "init") == 0;
    lock->name = by_call ? with_kind(model, class->name, lock->kind) : class->name;
    lock->short_name = by_call ? with_kind(model, class->short_name, lock->kind) : class->short_name;
    lock->identity = class->identity;
    struct static_name found = {0};
    if (by_call && lock->info)
        found = static_name_of_address(model, lock->process, lock->info->address);
    if (found.name) {
        lock->name = lock->short_name = found.name;
        lock->identity = found.identity;
    }
}

/* ---- threads ---- */

/* A name of its own: not the program's, which every new thread inherits. */
static bool own_name(const struct model_process *process, const char *name) {
    return name && name[0] && strncmp(name, process->program, 15) != 0;
}

static const char *start_routine(struct model *model, const struct model_process *process,
                                 const struct lgr_location *location) {
    const struct lgr_module_info *info = lgr_module_by_id(process->file, location->module);
    if (!info)
        return NULL;
    struct module_symbols *module = module_of(model, info);
    const char *name = symbols_function_at(model->symbols, module, location->offset);
    if (name)
        return name;
    return pool_printf(&model->pool, "%s+0x%lx", base_name(module_path(module)),
                       (unsigned long)location->offset);
}

/* libstdc++'s execute_native_thread_routine, libc's C11 trampoline: the same
 * for all threads. */
static bool in_library(const struct model_process *process, const struct lgr_location *location) {
    const struct lgr_module_info *info = lgr_module_by_id(process->file, location->module);
    const char *name = info ? base_name(info->path) : "";
    return strncmp(name, "libstdc++", 9) == 0 || strncmp(name, "libc.so", 7) == 0 ||
           strncmp(name, "liblockgraph", 12) == 0;
}

void name_thread(struct model *model, const struct model_process *process, const struct lgr_thread_info *info,
                 struct model_thread *thread) {
    bool known = info->start_routine.module || info->start_routine.offset;
    const char *given = text_clean(&model->pool, info->name);
    thread->start_routine = known ? start_routine(model, process, &info->start_routine) : NULL;
    thread->created_at = model_stack(model, process, info->creation_context);
    if (info->tid == process->header->pid) {
        thread->name = "main";
    } else if (own_name(process, given)) {
        thread->name = given;
    } else if (thread->start_routine) {
        thread->name = thread->start_routine;
        thread->named_by_library = in_library(process, &info->start_routine);
    } else {
        thread->name = pool_printf(&model->pool, "thread %u", info->serial);
    }
    thread->label = pool_printf(&model->pool, "%s (%s)", thread->tag, thread->name);
}

void name_thread_by_stack(struct model *model, struct model_thread *thread, const struct stack *stack) {
    size_t end = stack_end(stack);
    if (!thread->named_by_library || stack->partial || end == 0 || !stack->frames[end - 1].name)
        return;
    thread->name = stack->frames[end - 1].name;
    thread->label = pool_printf(&model->pool, "%s (%s)", thread->tag, thread->name);
    thread->named_by_library = false;
}
