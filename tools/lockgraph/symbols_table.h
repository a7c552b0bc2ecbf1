/* The symbol table of one module, sorted: libdwfl's own search reads all of it
 * for every address. */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_TABLE_H
#define LOCKGRAPH_COMMAND_SYMBOLS_TABLE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

struct symbol {
    uint64_t address, size;
    const char *name; /* owned by the module */
    unsigned type;    /* STT_FUNC, STT_OBJECT, … */
    unsigned rank;    /* of several at one address the highest is the best name */
};

struct symbol_table {
    bool made;
    size_t count;
    struct symbol *symbols;
};

void symbol_table_make(struct symbol_table *table, Dwfl_Module *module);
/* The symbol that covers `address`; NULL: none.  Made at the first question. */
const struct symbol *symbol_table_find(struct symbol_table *table, Dwfl_Module *module, uint64_t address);
void symbol_table_free(struct symbol_table *table);

#endif
