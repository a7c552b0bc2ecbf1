#include "snapshot_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "stacks.h"

enum { DEEPEST = 256 };

/* ---- for libdwfl: registers and memory of the snapshot ---- */

static pid_t next_thread(Dwfl *dwfl, void *of, void **thread) {
    struct snapshot *snapshot = of;
    struct snapshot_thread *next = *thread ? (struct snapshot_thread *)*thread + 1 : snapshot->threads;
    (void)dwfl;
    if (next == snapshot->threads + snapshot->thread_count)
        return 0;
    *thread = next;
    return (pid_t)next->tid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *of, void **thread) {
    struct snapshot *snapshot = of;
    (void)dwfl;
    for (size_t i = 0; i < snapshot->thread_count; i++)
        if (snapshot->threads[i].tid == (uint32_t)tid) {
            *thread = &snapshot->threads[i];
            return true;
        }
    return false;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *of) {
    (void)dwfl;
    return snapshot_read(of, address, result, sizeof *result);
}

#if defined(__x86_64__)
enum { STACK_POINTER = 7, RETURN_ADDRESS = 16, ALL = 17 };
#else
enum { STACK_POINTER = 31, ALL = 32 };
#endif

static bool set_registers(Dwfl_Thread *state, void *of) {
    const struct snapshot_thread *thread = of;
    Dwarf_Word words[SNAPSHOT_REGISTERS], sp = thread->sp, pc = thread->pc;
    for (int i = 0; i < SNAPSHOT_REGISTERS; i++)
        words[i] = thread->registers[i];
    bool set = thread->whole ? dwfl_thread_state_registers(state, 0, ALL, words)
                             : dwfl_thread_state_registers(state, STACK_POINTER, 1, &sp);
#if defined(__x86_64__)
    return set && (thread->whole || dwfl_thread_state_registers(state, RETURN_ADDRESS, 1, &pc));
#else
    if (set)
        dwfl_thread_state_register_pc(state, pc);
    return set;
#endif
}

static const Dwfl_Thread_Callbacks callbacks = {
    .next_thread = next_thread,
    .get_thread = get_thread,
    .memory_read = read_word,
    .set_initial_registers = set_registers,
};

/* ---- frames ---- */

struct walk {
    size_t count;
    struct {
        uint64_t pc;
        bool exact; /* the instruction itself, not where a call returns to */
    } frames[DEEPEST];
};

static int note_frame(Dwfl_Frame *frame, void *of) {
    struct walk *walk = of;
    Dwarf_Addr pc;
    bool exact;
    if (walk->count == DEEPEST || !dwfl_frame_pc(frame, &pc, &exact))
        return DWARF_CB_ABORT;
    walk->frames[walk->count].pc = pc;
    walk->frames[walk->count++].exact = exact;
    return DWARF_CB_OK;
}

/* Where libdwfl placed it, and what it is. */
static struct module_symbols *module_at(struct snapshot *snapshot, struct symbols *symbols, uint64_t address,
                                        uint64_t *bias) {
    Dwfl_Module *module = dwfl_addrmodule(snapshot->dwfl, address);
    const char *file = NULL;
    const unsigned char *bits = NULL;
    GElf_Addr at;
    if (!module || !dwfl_module_getelf(module, &at))
        return NULL;
    *bias = at;
    const char *name = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, &file, NULL);
    int length = dwfl_module_build_id(module, &bits, &at);
    return symbols_module(symbols, file ? file : name, bits, length > 0 ? (size_t)length : 0);
}

static struct code_frames frames_at(struct snapshot *snapshot, struct symbols *symbols, uint64_t pc,
                                    bool exact) {
    uint64_t bias = 0;
    struct module_symbols *module = module_at(snapshot, symbols, exact ? pc : pc - 1, &bias);
    return symbols_code(symbols, module, pc + exact - bias);
}

/* The program's own code is what tells, not libc's that waits for it. */
static struct stack named_by_own_code(const struct code_frame *frames, size_t count) {
    size_t own = 0;
    while (own < count && (frame_in_base_library(&frames[own]) || frame_is_ours(&frames[own])))
        own++;
    struct stack stack = stack_of(frames + own, count - own, false);
    if (own == count)
        return stack_of(frames, count, false);
    return (struct stack){count, frames, own + stack.first, own + stack.site, false};
}

static struct stack named(struct snapshot *snapshot, struct symbols *symbols, const struct walk *walk) {
    struct code_frame *frames = NULL;
    size_t count = 0;
    for (size_t i = 0; i < walk->count; i++) {
        struct code_frames found = frames_at(snapshot, symbols, walk->frames[i].pc, walk->frames[i].exact);
        frames = checked_resize(frames, count + found.count, sizeof *frames);
        memcpy(frames + count, found.frames, found.count * sizeof *frames);
        count += found.count;
    }
    struct code_frame *kept = pool_array(snapshot->pool, count + 1, sizeof *kept);
    if (count)
        memcpy(kept, frames, count * sizeof *kept);
    free(frames);
    return named_by_own_code(kept, count);
}

struct stack *snapshot_stacks(struct snapshot *snapshot, struct symbols *symbols) {
    struct stack *stacks = pool_array(snapshot->pool, snapshot->thread_count, sizeof *stacks);
    if (!dwfl_attach_state(snapshot->dwfl, NULL, snapshot->pid, &callbacks, snapshot))
        return stacks;
    for (size_t i = 0; i < snapshot->thread_count; i++) {
        struct walk walk = {0};
        if (snapshot->threads[i].pc == 0)
            continue;
        dwfl_getthread_frames(snapshot->dwfl, (pid_t)snapshot->threads[i].tid, note_frame, &walk);
        stacks[i] = named(snapshot, symbols, &walk);
    }
    return stacks;
}

const char *snapshot_variable(struct snapshot *snapshot, struct symbols *symbols, uint64_t address) {
    uint64_t bias = 0;
    struct module_symbols *module = module_at(snapshot, symbols, address, &bias);
    struct variable variable = {0};
    if (module)
        variable = symbols_variable(symbols, module, address - bias);
    if (!variable.name || variable.displacement == 0)
        return variable.name;
    return pool_printf(snapshot->pool, "%s+%llu", variable.name, (unsigned long long)variable.displacement);
}
