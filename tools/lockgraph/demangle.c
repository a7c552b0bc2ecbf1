#include "demangle.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool compiler_suffix(const char *dot) {
    static const char *const words[] = {".cold",     ".constprop", ".isra",      ".part",
                                        ".lto_priv", ".llvm",      ".localalias"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if (strncmp(dot, words[i], length) == 0 && (dot[length] == 0 || dot[length] == '.'))
            return true;
    }
    return isdigit((unsigned char)dot[1]) != 0;
}

static char *without_suffixes(const char *symbol) {
    char *copy = strdup(symbol);
    if (!copy)
        return NULL;
    if (copy[0])
        copy[1 + strcspn(copy + 1, "@")] = 0;
    for (char *dot = copy[0] ? strchr(copy + 1, '.') : NULL; dot; dot = strchr(dot + 1, '.'))
        if (compiler_suffix(dot)) {
            *dot = 0;
            break;
        }
    return copy;
}

char *demangled(struct pool *pool, const char *symbol, bool parameters) {
    char *plain = without_suffixes(symbol);
    if (!plain)
        return text_clean(pool, symbol);
    bool mangled = strncmp(plain, "_Z", 2) == 0 || strncmp(plain, "_R", 2) == 0;
    char *readable =
        mangled ? cplus_demangle(plain, DMGL_AUTO | DMGL_ANSI | (parameters ? DMGL_PARAMS : 0)) : NULL;
    char *result = text_clean(pool, readable ? readable : plain);
    free(readable);
    free(plain);
    return result;
}

struct known_symbol {
    const char *symbol;
    struct demangled_name name;
};

static int compare_symbols(const void *a, const void *b) {
    const struct known_symbol *left = a, *right = b;
    uintptr_t one = (uintptr_t)left->symbol, other = (uintptr_t)right->symbol;
    return one < other ? -1 : one > other;
}

const struct demangled_name *demangled_name(struct demangled_names *names, struct pool *pool,
                                            const char *symbol) {
    struct known_symbol key = {.symbol = symbol}, **found = tfind(&key, &names->known, compare_symbols);
    if (found)
        return &(*found)->name;
    struct known_symbol *made = pool_alloc(pool, sizeof *made);
    *made = (struct known_symbol){symbol, {demangled(pool, symbol, true), demangled(pool, symbol, false)}};
    tsearch(made, &names->known, compare_symbols);
    return &made->name;
}

static void keep(void *node) { (void)node; }

void demangled_names_free(struct demangled_names *names) { tdestroy(names->known, keep); }
