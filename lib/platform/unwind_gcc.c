/* Call stacks by libgcc's unwinder, opened privately: were we linked with it, a
 * program that brings its own _Unwind_* symbols would get a mixture. */
#include <dlfcn.h>
#include <string.h>
#include <unwind.h>

#include "platform/modules_internal.h"
#include "platform/unwind_internal.h"

/* Resolved by the constructor, before a second thread exists. */
static struct {
    __typeof__(_Unwind_Backtrace) *backtrace;
    __typeof__(_Unwind_GetIP) *get_ip;
    __typeof__(_Unwind_GetCFA) *get_cfa;
    __typeof__(_Unwind_GetGR) *get_register;
    __typeof__(_Unwind_GetRegionStart) *get_region_start;
    __typeof__(_Unwind_FindEnclosingFunction) *find_enclosing_function;
} libgcc;

/* This thread is in libgcc for us. */
static _Thread_local bool walking __attribute__((tls_model("initial-exec")));
/* Where libgcc is; written with the functions above. */
static struct lgp_module libgcc_module;

/* What libgcc hands to its callback begins with the address it looks for. */
struct wanted {
    uintptr_t pc;
};

static int tell_object(const struct lgp_module *module, lgp_object_callback *callback, void *data) {
    size_t count;
    struct dl_phdr_info info = {.dlpi_addr = module->bias, .dlpi_name = module->path};
    info.dlpi_phdr = lgp_image_headers((const void *)module->start, &count);
    info.dlpi_phnum = (ElfW(Half))count;
    /* Without the counters behind: libgcc then remembers nothing between calls. */
    return count == 0 ? 0 : callback(&info, offsetof(struct dl_phdr_info, dlpi_adds), data);
}

bool lgp_unwind_iterate(lgp_object_callback *callback, void *data, int *result) {
    uintptr_t asks = (uintptr_t)callback;
    struct lgp_module module;
    if (!walking || asks < libgcc_module.start || asks >= libgcc_module.end)
        return false;
    *result = 0;
    if (lgp_module_find(((const struct wanted *)data)->pc, &module))
        *result = tell_object(&module, callback, data);
    else if (!lgp_module_contains((uintptr_t)lgp_unwind_iterate))
        return false; /* nothing can be looked up, and libgcc ends the program without its own tables */
    return true;
}

/* A signal handler may come in between and be walked, too. */
static void backtrace(_Unwind_Trace_Fn visit, void *argument) {
    bool outside = !walking;
    walking = true;
    libgcc.backtrace(visit, argument);
    walking = !outside;
}

struct walk {
    uintptr_t from_sp;
    struct lgp_frame *frames;
    size_t count, max;
};

/* libgcc calls "CFA" of a context the canonical frame address of the frame
 * below it, which is the context's own stack pointer at the call.  It has
 * looked the function up already to know how to go on, so its start is free. */
static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument) {
    struct walk *walk = argument;
    uintptr_t sp = libgcc.get_cfa(context);
    if (sp < walk->from_sp)
        return _URC_NO_REASON;
    uintptr_t pc = libgcc.get_ip(context);
    if (pc == 0)
        return _URC_END_OF_STACK;
    walk->frames[walk->count++] = (struct lgp_frame){pc, sp, libgcc.get_region_start(context)};
    return walk->count == walk->max ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* Where the walk ended for want of tables, the last region start is still that
 * of the frame below. */
static void correct_last(struct walk *walk) {
    if (walk->count == 0)
        return;
    struct lgp_frame *last = &walk->frames[walk->count - 1];
    last->function = lgp_function_start_gcc(last->pc);
}

size_t lgp_unwind_gcc(uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    struct walk walk = {from_sp, frames, 0, max};
    if (max == 0)
        return 0;
    backtrace(visit, &walk);
    if (walk.count < max)
        correct_last(&walk);
    return walk.count;
}

/* DWARF's number of the frame pointer. */
#if defined(__x86_64__)
enum { FRAME_REGISTER = 6 };
#else
enum { FRAME_REGISTER = 29 };
#endif

struct first_frame {
    uintptr_t from_sp;
    struct lgp_frame frame;
    uintptr_t frame_register;
};

static _Unwind_Reason_Code visit_first(struct _Unwind_Context *context, void *argument) {
    struct first_frame *first = argument;
    uintptr_t sp = libgcc.get_cfa(context);
    if (sp < first->from_sp)
        return _URC_NO_REASON;
    first->frame = (struct lgp_frame){libgcc.get_ip(context), sp, libgcc.get_region_start(context)};
    first->frame_register = libgcc.get_register(context, FRAME_REGISTER);
    return _URC_END_OF_STACK;
}

bool lgp_frame_register_gcc(uintptr_t from_sp, struct lgp_frame *frame, uintptr_t *frame_register) {
    struct first_frame first = {.from_sp = from_sp};
    if (libgcc.backtrace == NULL)
        return false;
    backtrace(visit_first, &first);
    *frame = first.frame;
    *frame_register = first.frame_register;
    return first.frame.pc != 0;
}

uintptr_t lgp_function_start_gcc(uintptr_t pc) {
    bool outside = !walking;
    walking = true;
    uintptr_t start = (uintptr_t)libgcc.find_enclosing_function((void *)pc);
    walking = !outside;
    return start;
}

static bool resolve(void *library) {
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"_Unwind_Backtrace", &libgcc.backtrace},
        {"_Unwind_GetIP", &libgcc.get_ip},
        {"_Unwind_GetCFA", &libgcc.get_cfa},
        {"_Unwind_GetGR", &libgcc.get_register},
        {"_Unwind_GetRegionStart", &libgcc.get_region_start},
        {"_Unwind_FindEnclosingFunction", &libgcc.find_enclosing_function},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        void *symbol = dlsym(library, wanted[i].name);
        if (symbol == NULL)
            return false;
        memcpy(wanted[i].slot, &symbol, sizeof(symbol));
    }
    return true;
}

bool lgp_unwind_gcc_start(void) {
    struct lgp_frame frames[2];
    void *library = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL || !resolve(library))
        return false;
    if (!lgp_module_find((uintptr_t)libgcc.backtrace, &libgcc_module))
        libgcc_module = (struct lgp_module){0};
    /* The first walk sets tables up under a once-lock. */
    return lgp_unwind_gcc(0, frames, 2) > 0;
}
