#include "engine/recorded_modules.h"
#include "engine/declared.h"
#include "engine/lifecycle.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"

#include <string.h>

#include "platform/memory.h"
#include "platform/modules.h"
#include "platform/print.h"
#include "platform/system.h"
#include "record/writer.h"

#include <fcntl.h>
#include <sys/syscall.h>

/* Once gone it stays: what lay there then is still asked for. */
struct recorded {
    uintptr_t start, end, bias;
    uint64_t identity; /* of what is there: path, build id, bias */
    uint32_t id;       /* 0: not in this file */
    uint32_t declared; /* its number in the order file's table; 0: not in it */
    uint32_t gone_at;  /* epoch; 0: still there */
};

static struct {
    struct lgp_lock lock;
    struct recorded *items;
    size_t count, room;
    uint32_t last_id;
    struct lgp_module_room room_to_look;
} modules;

_Atomic uint32_t lge_modules_epoch = 1;

/* Calls of dlclose that go on; in a forked child those of its parent's other threads go
 * on for ever, and what the loader tells of them is half gone.  Sequentially consistent:
 * who holds the lock and reads none has its module until it gives the lock up. */
static _Atomic uint32_t unloadings;

static uint32_t now(void) { return atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed); }

/* Looked up when the first file begins, before there are threads: a sandbox may
 * forbid it later.  Evidence lock. */
static struct {
    char text[4096 + 1];
    size_t length;
} program_path;

static void find_program_path(void) {
    long length = lgp_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)program_path.text,
                              sizeof program_path.text - 1, 0, 0);
    program_path.length = length < 0 ? 0 : (size_t)length;
}

/* Of what is gone only the place is known: nobody can write it once more. */
void lge_recorded_modules_new_file(void) {
    size_t kept = 0;
    lgp_lock(&modules.lock);
    for (size_t i = 0; i < modules.count; i++)
        if (modules.items[i].gone_at != 0) {
            modules.items[kept] = modules.items[i];
            modules.items[kept++].id = 0;
        }
    modules.count = kept;
    modules.last_id = 0;
    lgp_unlock(&modules.lock);
    if (program_path.length == 0)
        find_program_path();
}

/* What was there in that epoch: the oldest that was not gone by then. */
static struct recorded *find(uintptr_t address, uint32_t epoch) {
    for (size_t i = 0; i < modules.count; i++) {
        struct recorded *item = &modules.items[i];
        if (address >= item->start && address < item->end && (item->gone_at == 0 || item->gone_at > epoch))
            return item;
    }
    return NULL;
}

static bool look(uintptr_t address, struct lgp_module *module) {
    return lgp_module_look(address, module, &modules.room_to_look, atomic_load(&unloadings) != 0);
}

static uint64_t identity_of(const struct lgp_module *module) {
    uint64_t identity = lge_mix(module->start, module->end) ^ module->bias;
    identity = lge_mix_bytes(identity, module->path, strlen(module->path));
    return lge_mix_bytes(identity, module->build_id, module->build_id_length);
}

static const char *path_of(const struct lgp_module *module, size_t *length) {
    bool is_program = module->path[0] == '\0';
    if (is_program && program_path.length == 0)
        find_program_path();
    *length = is_program ? program_path.length : strlen(module->path);
    return is_program ? program_path.text : module->path;
}

/* A forked child, which looks at all of them again, need not hear of it again. */
static void warn_of_other_build(const char *path) {
    static uint64_t told[16]; /* hashes of paths; modules.lock */
    static size_t count;
    uint64_t hash = lge_mix_bytes(1, path, strlen(path));
    for (size_t i = 0; i < count; i++)
        if (told[i] == hash)
            return;
    if (count < sizeof told / sizeof *told)
        told[count++] = hash;
    lgp_warn("%s is not the build that the declared order was made for: its locks are not checked", path);
}

static uint32_t declared_number(const struct lgp_module *module) {
    const struct lgr_order *order = lge_declared_order();
    size_t length;
    if (order == NULL)
        return 0;
    const char *path = path_of(module, &length);
    uint32_t number = lgr_order_module_like(order, path, module->build_id, module->build_id_length);
    if (number == 0 && lgr_order_names_module(order, path))
        warn_of_other_build(path);
    return number;
}

static void write_record(const struct lgp_module *module, uint32_t id) {
    size_t length;
    const char *path = path_of(module, &length);
    size_t build_id_length = module->build_id_length;
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

/* The newest that was at that place, when it is back now. */
static struct recorded *revive(uintptr_t address, uint64_t identity) {
    for (size_t i = modules.count; i-- > 0;) {
        struct recorded *item = &modules.items[i];
        if (address < item->start || address >= item->end)
            continue;
        if (item->identity != identity || item->id == 0)
            return NULL;
        item->gone_at = 0;
        return item;
    }
    return NULL;
}

static struct recorded *add(uintptr_t address) {
    struct lgp_module module;
    if (!look(address, &module))
        return NULL;
    uint64_t identity = identity_of(&module);
    struct recorded *back = revive(address, identity);
    if (back != NULL)
        return back;
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
    *recorded = (struct recorded){.start = module.start,
                                  .end = module.end,
                                  .bias = module.bias,
                                  .identity = identity,
                                  .id = ++modules.last_id,
                                  .declared = declared_number(&module)};
    write_record(&module, recorded->id);
    return recorded;
}

uint32_t lge_recorded_module_declared(uintptr_t address, uint64_t *offset) {
    lgp_lock(&modules.lock);
    struct recorded *recorded = find(address, now());
    if (recorded == NULL)
        recorded = add(address);
    uint32_t declared = recorded == NULL ? 0 : recorded->declared;
    *offset = recorded == NULL ? 0 : address - recorded->bias;
    lgp_unlock(&modules.lock);
    return declared;
}

struct lgr_location lge_recorded_location(uintptr_t address, uint32_t epoch) {
    struct lgr_location location = {.module = 0, .offset = address};
    lgp_lock(&modules.lock);
    struct recorded *recorded = find(address, epoch);
    if (recorded == NULL && epoch == now())
        recorded = add(address);
    if (recorded != NULL && recorded->id != 0)
        location = (struct lgr_location){.module = recorded->id, .offset = address - recorded->bias};
    lgp_unlock(&modules.lock);
    return location;
}

bool lge_recorded_modules_name(uintptr_t address, struct lge_module_name *name) {
    struct lgp_module module;
    lgp_lock(&modules.lock);
    bool found = look(address, &module);
    if (found) {
        const char *slash = strrchr(module.path, '/'), *base = slash == NULL ? module.path : slash + 1;
        size_t length = strnlen(base, sizeof name->text - 1);
        memcpy(name->text, base, length);
        name->text[length] = '\0';
        name->offset = address - module.bias;
    }
    lgp_unlock(&modules.lock);
    return found;
}

/* ---- unloading ---- */

void lge_recorded_modules_may_go(bool wait) {
    atomic_fetch_add(&unloadings, 1);
    if (wait) {
        lgp_lock(&modules.lock);
        lgp_unlock(&modules.lock);
    }
}

void lge_recorded_modules_stay(void) { atomic_fetch_sub(&unloadings, 1); }

static bool still_there(const struct recorded *item) {
    struct lgp_module module;
    return look(item->start, &module) && identity_of(&module) == item->identity;
}

bool lge_recorded_modules_unloaded(void) {
    bool any = false;
    lgp_modules_changed();
    lgp_lock(&modules.lock);
    for (size_t i = 0; i < modules.count; i++) {
        struct recorded *item = &modules.items[i];
        if (item->gone_at != 0 || still_there(item))
            continue;
        item->gone_at = now() + 1;
        any = true;
    }
    if (any)
        atomic_fetch_add_explicit(&lge_modules_epoch, 1, memory_order_relaxed);
    lgp_unlock(&modules.lock);
    return any;
}

/* One that is back by now is not gone. */
static bool gone_since(uintptr_t address, uint32_t epoch) {
    for (size_t i = 0; i < modules.count; i++) {
        const struct recorded *item = &modules.items[i];
        if (address < item->start || address >= item->end || item->gone_at <= epoch)
            continue;
        struct lgp_module module;
        return !look(address, &module) || revive(address, identity_of(&module)) != item;
    }
    return false;
}

bool lge_recorded_modules_same(const uintptr_t *addresses, size_t count, uint32_t epoch) {
    bool same = true;
    lgp_lock(&modules.lock);
    for (size_t i = 0; i < count && same; i++)
        same = !gone_since(addresses[i], epoch);
    lgp_unlock(&modules.lock);
    return same;
}

struct lgp_part lge_recorded_modules_part(void) {
    return (struct lgp_part){&modules.lock, (void *)&modules, sizeof modules};
}
