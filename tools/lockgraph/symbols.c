#include "symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demangle.h"
#include "module_file.h"
#include "source_names.h"
#include "symbols_inline.h"
#include "symbols_table.h"
#include "symbols_type.h"
#include "symbols_unit.h"
#include "text.h"

#define DEBUG_DIR "/usr/lib/debug"

struct module_symbols {
    const char *raw_path; /* as recorded */
    const uint8_t *raw_id;
    size_t raw_id_length;
    const char *path;     /* clean */
    const char *build_id; /* hex */
    const char *problem;  /* NULL: none */
    Dwfl *dwfl;
    Dwfl_Module *module; /* NULL: nothing to look in */
    struct symbol_table table;
    struct unit_index units;
    struct inline_index inlined;
    struct variable_index variables;
    struct module_symbols *next;
};

struct symbols {
    struct pool pool;
    const struct symbol_paths *paths; /* NULL: none */
    char *debug_path;
    Dwfl_Callbacks callbacks;
    struct source_names sources;
    struct demangled_names demangled;
    struct module_symbols *modules;
    struct pool code;     /* what the tree below is made of, and its frames */
    void *code_cache;     /* tsearch tree of struct cached_code */
    void *variable_cache; /* tsearch tree of struct cached_variable */
};

struct place {
    const struct module_symbols *module;
    uint64_t offset;
};
struct cached_code {
    struct place place; /* first */
    struct code_frames frames;
};
struct cached_variable {
    struct place place; /* first */
    struct variable variable;
};

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    if (left->module != right->module)
        return (uintptr_t)left->module < (uintptr_t)right->module ? -1 : 1;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *unversioned_name(struct pool *pool, const char *path) {
    const char *name = base_name(path), *version = strstr(name, ".so.");
    bool versioned = version && version[4 + strspn(version + 4, "0123456789.")] == 0;
    return versioned ? pool_string_n(pool, name, (size_t)(version - name) + 3) : name;
}

const char *module_build_id(const struct module_symbols *module) { return module->build_id; }
const char *module_path(const struct module_symbols *module) { return module->path; }

Dwfl_Module *module_dwfl(struct module_symbols *module) { return module->module; }

const struct symbol_table *module_table(struct module_symbols *module) {
    if (!module->module)
        return NULL;
    symbol_table_make(&module->table, module->module);
    return &module->table;
}

/* As libdwfl's default, with the directories that were given before its own. */
static char *debug_path(struct pool *pool, const struct symbol_paths *paths) {
    char *path = pool_string(pool, ":.debug");
    for (size_t i = 0; paths && i < paths->debug_dirs.count; i++)
        path = pool_printf(pool, "%s:%s", path, paths->debug_dirs.list[i]);
    if (paths && paths->sysroot && !strchr(paths->sysroot, ':'))
        path = pool_printf(pool, "%s:%s" DEBUG_DIR, path, paths->sysroot);
    return pool_printf(pool, "%s:" DEBUG_DIR, path);
}

struct symbols *symbols_open(const struct symbol_paths *paths) {
    struct symbols *symbols = checked_resize(NULL, 1, sizeof *symbols);
    *symbols = (struct symbols){.paths = paths, .sources.paths = paths};
    symbols->debug_path = debug_path(&symbols->pool, paths);
    symbols->callbacks = (Dwfl_Callbacks){
        .find_elf = dwfl_linux_proc_find_elf, /* never called: the file is always given */
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &symbols->debug_path,
    };
    return symbols;
}

static void keep_cached(void *node) { (void)node; }

static void close_module(struct module_symbols *module) {
    symbol_table_free(&module->table);
    unit_index_free(&module->units);
    inline_index_free(&module->inlined);
    variable_index_free(&module->variables);
    if (module->dwfl)
        dwfl_end(module->dwfl);
}

void symbols_forget_code(struct symbols *symbols) {
    tdestroy(symbols->code_cache, keep_cached);
    symbols->code_cache = NULL;
    pool_free(&symbols->code);
}

void symbols_close(struct symbols *symbols) {
    for (struct module_symbols *module = symbols->modules; module; module = module->next)
        close_module(module);
    source_names_free(&symbols->sources);
    demangled_names_free(&symbols->demangled);
    symbols_forget_code(symbols);
    tdestroy(symbols->variable_cache, keep_cached);
    pool_free(&symbols->pool);
    free(symbols);
}

/* ---- finding the file ---- */

static const char *hex(struct pool *pool, const uint8_t *bytes, size_t length) {
    char *text = pool_alloc(pool, 2 * length + 1);
    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

/* Places the file at the addresses it was linked for, so that ELF virtual
 * addresses are looked up unchanged.  Takes the descriptor. */
static bool load(struct symbols *symbols, struct module_symbols *module, int descriptor, const char *file) {
    Dwfl *dwfl = dwfl_begin(&symbols->callbacks);
    if (dwfl) {
        dwfl_report_begin(dwfl);
        module->module = dwfl_report_elf(dwfl, base_name(file), file, descriptor, 0, true);
        dwfl_report_end(dwfl, NULL, NULL);
    }
    if (!module->module) {
        close(descriptor);
        if (dwfl)
            dwfl_end(dwfl);
        return false;
    }
    module->dwfl = dwfl;
    return true;
}

static void unload(struct module_symbols *module) {
    dwfl_end(module->dwfl);
    module->dwfl = NULL;
    module->module = NULL;
}

static bool same_build(const struct module_symbols *module) {
    const unsigned char *bits = NULL;
    GElf_Addr address = 0;
    int length = dwfl_module_build_id(module->module, &bits, &address);
    if (!module->build_id[0])
        return true;
    if (length <= 0 || strlen(module->build_id) != 2 * (size_t)length)
        return false;
    for (int i = 0; i < length; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", bits[i]);
        if (strncmp(digits, module->build_id + 2 * i, 2) != 0)
            return false;
    }
    return true;
}

/* A descriptor of the debug file for a build id alone, with its name in *file (malloc): from
 * the debug directories, or a debuginfod server where one is configured.  -1: none. */
static int find_by_build_id(struct symbols *symbols, const struct module_symbols *module, char **file) {
    int descriptor = -1;
    Dwfl *dwfl = dwfl_begin(&symbols->callbacks);
    if (!dwfl)
        return -1;
    dwfl_report_begin(dwfl);
    Dwfl_Module *wanted = dwfl_report_module(dwfl, "wanted", 0, 1);
    if (wanted && dwfl_module_report_build_id(wanted, module->raw_id, module->raw_id_length, 0) == 0)
        descriptor = dwfl_standard_find_debuginfo(wanted, NULL, NULL, 0, NULL, NULL, 0, file);
    dwfl_report_end(dwfl, NULL, NULL);
    dwfl_end(dwfl);
    return descriptor;
}

static bool load_by_build_id(struct symbols *symbols, struct module_symbols *module) {
    char *file = NULL;
    int descriptor = module->raw_id_length > 1 ? find_by_build_id(symbols, module, &file) : -1;
    bool loaded = descriptor >= 0 && load(symbols, module, descriptor, file ? file : module->path);
    free(file);
    if (loaded && !same_build(module)) {
        unload(module);
        loaded = false;
    }
    return loaded;
}

static const char *existing_file(struct pool *pool, const char *path) {
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), tail = sizeof deleted - 1;
    if (length > tail && strcmp(path + length - tail, deleted) == 0)
        return pool_string_n(pool, path, length - tail);
    return path;
}

static void open_module(struct symbols *symbols, struct module_symbols *module) {
    const char *file = existing_file(&symbols->pool, module->raw_path);
    /* Not the vdso and other unnamed objects.  What was loaded by a relative path may lie there
     * from here, too, which only a build id can tell. */
    if (file[0] != '/' && (!strchr(file, '/') || module->raw_id_length == 0))
        return;
    bool rebuilt = false;
    int descriptor = module_file_open(&symbols->pool, symbols->paths, file, &file);
    if (descriptor >= 0 && load(symbols, module, descriptor, file)) {
        if (same_build(module))
            return;
        rebuilt = true;
        unload(module);
    }
    if (load_by_build_id(symbols, module))
        return;
    const char *where = symbols->paths && symbols->paths->sysroot
                            ? pool_printf(&symbols->pool, " below %s", symbols->paths->sysroot)
                            : "";
    module->problem = pool_printf(&symbols->pool,
                                  rebuilt ? "%s%s was replaced after the run: its places are shown as offsets"
                                          : "%s%s cannot be read: its places are shown as offsets",
                                  module->path, text_clean(&symbols->pool, where));
}

/* Asked for every frame: no string is made unless the module is new. */
static bool is_module(const struct module_symbols *module, const char *path, const uint8_t *build_id,
                      size_t length) {
    return module->raw_id_length == length &&
           (length == 0 || memcmp(module->raw_id, build_id, length) == 0) &&
           strcmp(module->raw_path, path) == 0;
}

struct module_symbols *symbols_module(struct symbols *symbols, const char *path, const uint8_t *build_id,
                                      size_t build_id_length) {
    for (struct module_symbols *module = symbols->modules; module; module = module->next)
        if (is_module(module, path, build_id, build_id_length))
            return module;
    struct module_symbols *module = pool_alloc(&symbols->pool, sizeof *module);
    module->raw_path = pool_string(&symbols->pool, path);
    if (build_id_length)
        module->raw_id =
            (const uint8_t *)pool_string_n(&symbols->pool, (const char *)build_id, build_id_length);
    module->raw_id_length = build_id_length;
    module->path = text_clean(&symbols->pool, path);
    module->build_id = hex(&symbols->pool, build_id, build_id_length);
    module->inlined.sources = &symbols->sources;
    module->inlined.demangled = &symbols->demangled;
    module->inlined.frames = &symbols->code;
    module->next = symbols->modules;
    symbols->modules = module;
    open_module(symbols, module);
    return module;
}

const char *symbols_problem(const struct symbols *symbols, size_t index) {
    for (const struct module_symbols *module = symbols->modules; module; module = module->next)
        if (module->problem && index-- == 0)
            return module->problem;
    return NULL;
}

/* ---- looking up ---- */

static const struct symbol *find_symbol(struct module_symbols *module, uint64_t offset) {
    return module && module->module ? symbol_table_find(&module->table, module->module, offset) : NULL;
}

const char *symbols_function_at(struct symbols *symbols, struct module_symbols *module, uint64_t offset) {
    const struct symbol *symbol = find_symbol(module, offset);
    return symbol ? demangled_name(&symbols->demangled, &symbols->pool, symbol->name)->name : NULL;
}

#define LARGEST_LOCK 56 /* bytes, pthread_rwlock_t: a variable no larger is one lock */

static void add_part(struct symbols *symbols, struct module_symbols *module, uint64_t offset,
                     struct variable *variable) {
    const char *part = variable_path(&symbols->pool, &module->variables, module->module,
                                     offset - variable->displacement, variable->displacement);
    if (!part)
        return;
    variable->name = pool_printf(&symbols->pool, "%s%s", variable->name, part);
    variable->displacement = 0;
}

static struct variable look_up_variable(struct symbols *symbols, struct module_symbols *module,
                                        const struct symbol *symbol, uint64_t offset) {
    const char *name = demangled_name(&symbols->demangled, &symbols->pool, symbol->name)->name;
    struct variable result = {name, offset - symbol->address};
    if (symbol->size > LARGEST_LOCK)
        add_part(symbols, module, offset, &result);
    return result;
}

struct variable symbols_variable(struct symbols *symbols, struct module_symbols *module, uint64_t offset) {
    const struct symbol *symbol = find_symbol(module, offset);
    if (!symbol || symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC || symbol->size == 0)
        return (struct variable){0};
    struct place key = {module, offset};
    struct cached_variable **found = tfind(&key, &symbols->variable_cache, compare_places);
    if (found)
        return (*found)->variable;
    struct cached_variable *entry = pool_alloc(&symbols->pool, sizeof *entry);
    *entry = (struct cached_variable){key, look_up_variable(symbols, module, symbol, offset)};
    tsearch(entry, &symbols->variable_cache, compare_places);
    return entry->variable;
}

/* Without debug information: one frame, from the symbol table. */
static struct code_frames plain_frame(struct symbols *symbols, struct code_frame frame, const char *name) {
    struct code_frame *copy = pool_alloc(&symbols->code, sizeof *copy);
    if (name) {
        const struct demangled_name *both = demangled_name(&symbols->demangled, &symbols->pool, name);
        frame.function = both->function;
        frame.name = both->name;
    }
    *copy = frame;
    return (struct code_frames){1, copy};
}

static struct code_frames look_up(struct symbols *symbols, struct module_symbols *module, uint64_t offset) {
    struct code_frame frame = {.offset = offset};
    if (!module)
        return plain_frame(symbols, frame, NULL);
    frame.module = module->path;
    frame.build_id = module->build_id;
    if (!module->module || offset == 0)
        return plain_frame(symbols, frame, NULL);
    const struct symbol *symbol = find_symbol(module, offset - 1);
    const char *name = symbol ? symbol->name : NULL;
    frame.function_offset = symbol ? offset - symbol->address : 0;
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = unit_at(&module->units, module->module, offset - 1, &bias);
    struct code_frames result = {0};
    if (unit) {
        set_line(&symbols->sources, &symbols->pool, unit, offset - 1 - bias, &frame);
        result = inlined_frames(&module->inlined, &symbols->pool, unit, offset - 1 - bias, frame, name);
    }
    return result.count ? result : plain_frame(symbols, frame, name);
}

struct code_frames symbols_code(struct symbols *symbols, struct module_symbols *module, uint64_t offset) {
    struct place key = {module, offset};
    struct cached_code **found = tfind(&key, &symbols->code_cache, compare_places);
    if (found)
        return (*found)->frames;
    struct cached_code *entry = pool_alloc(&symbols->code, sizeof *entry);
    *entry = (struct cached_code){key, look_up(symbols, module, offset)};
    tsearch(entry, &symbols->code_cache, compare_places);
    return entry->frames;
}
