#include "engine/recorded_modules.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "platform/memory.h"
#include "platform/modules.h"
#include "platform/system.h"
#include "record/writer.h"

#include <fcntl.h>
#include <sys/syscall.h>

struct recorded {
    uintptr_t start, end, bias;
    uint32_t id;
};

static struct {
    struct recorded *items;
    size_t count, room;
} modules;

/* Looked up when the first file begins, before there are threads: a sandbox may
 * forbid it later.  Evidence lock. */
static struct {
    char text[4096];
    size_t length;
} program_path;

static void find_program_path(void) {
    long length = lgp_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)program_path.text,
                              sizeof program_path.text, 0, 0);
    program_path.length = length < 0 ? 0 : (size_t)length;
}

void lge_recorded_modules_new_file(void) {
    modules.count = 0;
    if (program_path.length == 0)
        find_program_path();
}

static struct recorded *find(uintptr_t address) {
    for (size_t i = 0; i < modules.count; i++)
        if (address >= modules.items[i].start && address < modules.items[i].end)
            return &modules.items[i];
    return NULL;
}

static void write_record(const struct lgp_module *module, uint32_t id) {
    bool is_program = module->path[0] == '\0';
    if (is_program && program_path.length == 0)
        find_program_path();
    const char *path = is_program ? program_path.text : module->path;
    size_t length = is_program ? program_path.length : strlen(path);
    size_t build_id_length = module->build_id == NULL ? 0 : module->build_id_length;
    struct lgr_module *record = lgr_begin(LGR_MODULE, sizeof *record + build_id_length + length, true);
    if (record == NULL)
        return;
    record->id = id;
    record->start = module->start;
    record->end = module->end;
    record->bias = module->bias;
    record->build_id_length = (uint32_t)build_id_length;
    record->path_length = (uint32_t)length;
    char *tail = (char *)(record + 1);
    if (build_id_length != 0)
        memcpy(tail, module->build_id, build_id_length);
    memcpy(tail + build_id_length, path, length);
    lgr_commit(record);
}

static struct recorded *add(uintptr_t address) {
    struct lgp_module module;
    if (!lgp_module_find(address, &module))
        return NULL;
    if (modules.count == modules.room) {
        size_t room = modules.room ? modules.room * 2 : 32;
        struct recorded *items =
            lgp_resize(modules.items, modules.room * sizeof *items, room * sizeof *items);
        if (items == NULL)
            return NULL;
        modules.items = items;
        modules.room = room;
    }
    struct recorded *recorded = &modules.items[modules.count++];
    *recorded = (struct recorded){module.start, module.end, module.bias, (uint32_t)modules.count};
    write_record(&module, recorded->id);
    return recorded;
}

struct lgr_location lge_recorded_location(uintptr_t address) {
    struct recorded *recorded = find(address);
    if (recorded == NULL)
        recorded = add(address);
    if (recorded == NULL)
        return (struct lgr_location){.module = 0, .offset = address};
    return (struct lgr_location){.module = recorded->id, .offset = address - recorded->bias};
}

struct lgp_part lge_recorded_modules_part(void) {
    return (struct lgp_part){NULL, (void *)&modules, sizeof modules};
}
