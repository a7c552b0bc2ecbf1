/* From (module, offset) to functions, files, lines and variables, through
 * libdwfl.  Nothing is looked up twice.  Missing, deleted, rebuilt and
 * stripped files are no error: what can be said is said. */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_H
#define LOCKGRAPH_COMMAND_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"
#include "symbol_paths.h"

/* One function activation.  All strings are clean (text.h) and live as long as
 * the symbols; NULL where not known. */
struct code_frame {
    const char *module;       /* path as recorded; NULL: no module */
    const char *build_id;     /* hex */
    uint64_t offset;          /* ELF virtual address of the return address; absolute without a module */
    const char *function;     /* demangled, with parameters where the language has them */
    const char *name;         /* the same without parameters */
    const char *file;         /* absolute where the debug information has it so, but see symbol_paths.h */
    const char *recorded;     /* the same as the debug information has it */
    unsigned line;            /* 0: not known */
    unsigned function_line;   /* where the function is declared; 0: not known */
    uint64_t function_offset; /* offset from the function's first byte */
    bool inlined;             /* into the next frame */
};

struct code_frames {
    size_t count;                    /* at least 1 */
    const struct code_frame *frames; /* innermost first: inlined ones, then the function itself */
};

struct variable {
    const char *name;      /* demangled, with the part of it where types are known: "table[3].lock";
                              NULL: no symbol covers the address */
    uint64_t displacement; /* bytes beyond what `name` says */
};

struct symbols;
struct module_symbols;

/* `paths` (NULL: none) must outlive the symbols. */
struct symbols *symbols_open(const struct symbol_paths *paths);
void symbols_close(struct symbols *symbols);

/* The module recorded as `path` with this build id (length 0: none). */
struct module_symbols *symbols_module(struct symbols *symbols, const char *path, const uint8_t *build_id,
                                      size_t build_id_length);

/* What was running at return address `offset` (looked up as offset - 1).
 * `module` NULL: an absolute address outside every module. */
struct code_frames symbols_code(struct symbols *symbols, struct module_symbols *module, uint64_t offset);
/* Takes back the frames it gave so far, for who asks for millions; copies of them stay right. */
void symbols_forget_code(struct symbols *symbols);

/* The function that starts at or contains `offset` itself; NULL: none. */
const char *symbols_function_at(struct symbols *symbols, struct module_symbols *module, uint64_t offset);

struct variable symbols_variable(struct symbols *symbols, struct module_symbols *module, uint64_t offset);

/* For searches by name; NULL: nothing to look in.  The table's symbols are not demangled. */
struct Dwfl_Module;
struct symbol_table;
struct Dwfl_Module *module_dwfl(struct module_symbols *module);
const struct symbol_table *module_table(struct module_symbols *module);

const char *module_build_id(const struct module_symbols *module); /* hex, "" without */
const char *module_path(const struct module_symbols *module);

/* Why names are missing, one clean sentence per module that was asked for;
 * NULL past the last. */
const char *symbols_problem(const struct symbols *symbols, size_t index);

/* Last component of a path. */
const char *base_name(const char *path);
/* The same of a library without its version: a later libx.so.1.3 is still that libx.so. */
const char *unversioned_name(struct pool *pool, const char *path);

#endif
