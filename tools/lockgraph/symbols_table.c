#include "symbols_table.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"

/* Symbols nest at most a few deep (aliases, parts of a table); looking back
 * further would only meet unrelated ones. */
#define LOOK_BACK 32

/* Sized before unsized, global before weak before local. */
static unsigned rank_of(const GElf_Sym *symbol) {
    unsigned binding = GELF_ST_BIND(symbol->st_info);
    unsigned rank = binding == STB_GLOBAL ? 2 : binding == STB_WEAK ? 1 : 0;
    return rank + (symbol->st_size ? 4 : 0);
}

static bool wanted(const GElf_Sym *symbol, const char *name) {
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    return name && name[0] && symbol->st_shndx != SHN_UNDEF &&
           (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE || type == STT_GNU_IFUNC);
}

static int compare_symbols(const void *a, const void *b) {
    const struct symbol *left = a, *right = b;
    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return strcmp(right->name, left->name); /* any order, but always the same */
}

void symbol_table_make(struct symbol_table *table, Dwfl_Module *module) {
    if (table->made)
        return;
    int count = dwfl_module_getsymtab(module);
    table->made = true;
    if (count <= 0)
        return;
    table->symbols = checked_resize(NULL, (size_t)count, sizeof *table->symbols);
    for (int i = 0; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address = 0;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (name && wanted(&symbol, name))
            table->symbols[table->count++] = (struct symbol){address, symbol.st_size, name,
                                                             GELF_ST_TYPE(symbol.st_info), rank_of(&symbol)};
    }
    qsort(table->symbols, table->count, sizeof *table->symbols, compare_symbols);
}

/* One past the last symbol that starts at or before `address`. */
static size_t after(const struct symbol_table *table, uint64_t address) {
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct symbol *symbol_table_find(struct symbol_table *table, Dwfl_Module *module, uint64_t address) {
    symbol_table_make(table, module);
    size_t end = after(table, address);
    for (size_t back = 1; back <= end && back <= LOOK_BACK; back++) {
        const struct symbol *symbol = &table->symbols[end - back];
        if (address - symbol->address < symbol->size)
            return symbol;
        /* Hand-written assembly has no sizes: it reaches to the next symbol. */
        if (symbol->size == 0 && symbol->type != STT_OBJECT && back == 1)
            return symbol;
    }
    return NULL;
}

void symbol_table_free(struct symbol_table *table) { free(table->symbols); }
