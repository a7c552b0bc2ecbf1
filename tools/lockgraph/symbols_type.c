#include "symbols_type.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define MOST_ENTRIES    3000000 /* of debug information looked at per module */
#define DEEPEST_NESTING 16

/* ---- the index ---- */

static bool static_address(Dwarf_Die *die, Dwarf_Addr *address) {
    Dwarf_Attribute memory;
    Dwarf_Op *operations = NULL;
    size_t count = 0;
    Dwarf_Attribute *location = dwarf_attr(die, DW_AT_location, &memory);
    if (!location || dwarf_getlocation(location, &operations, &count) != 0 || count != 1)
        return false;
    *address = operations[0].number;
    if (operations[0].atom == DW_OP_addr)
        return true;
    Dwarf_Attribute table_entry; /* as clang writes it */
    return operations[0].atom == DW_OP_addrx &&
           dwarf_getlocation_attr(location, operations, &table_entry) == 0 &&
           dwarf_formaddr(&table_entry, address) == 0;
}

static void add_variable(struct variable_index *index, Dwarf_Die *die, Dwarf_Addr bias) {
    Dwarf_Addr address;
    if (!static_address(die, &address))
        return;
    index->variables = checked_resize(index->variables, index->count + 1, sizeof *index->variables);
    index->variables[index->count++] = (struct typed_variable){address + bias, *die};
}

/* Variables of files and namespaces; those of functions would mean reading
 * all of the debug information. */
static void add_children(struct variable_index *index, Dwarf_Die *parent, Dwarf_Addr bias, unsigned *left,
                         unsigned depth) {
    Dwarf_Die child;
    if (depth > DEEPEST_NESTING || dwarf_child(parent, &child) != 0)
        return;
    do {
        if ((*left)-- == 0) {
            *left = 0;
            return;
        }
        if (dwarf_tag(&child) == DW_TAG_variable)
            add_variable(index, &child, bias);
        else if (dwarf_tag(&child) == DW_TAG_namespace)
            add_children(index, &child, bias, left, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
}

static int compare_variables(const void *a, const void *b) {
    const struct typed_variable *left = a, *right = b;
    return left->address < right->address ? -1 : left->address > right->address;
}

static void make_index(struct variable_index *index, Dwfl_Module *module) {
    Dwarf_Addr bias = 0;
    unsigned left = MOST_ENTRIES;
    index->made = true;
    for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(module, unit, &bias));)
        add_children(index, unit, bias, &left, 0);
    if (index->count)
        qsort(index->variables, index->count, sizeof *index->variables, compare_variables);
}

void variable_index_free(struct variable_index *index) { free(index->variables); }

/* ---- types ---- */

/* Types a user thinks of as one lock. */
static bool is_lock_type(Dwarf_Die *type) {
    static const char *const names[] = {"pthread_",        "mtx_t",        "sem_t",      "mutex",
                                        "recursive_mutex", "shared_mutex", "timed_mutex"};
    const char *name = dwarf_diename(type);
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static bool next_type(Dwarf_Die *die, Dwarf_Die *type) {
    Dwarf_Attribute memory;
    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &memory), type) != NULL;
}

/* Through typedefs and qualifiers, unless the name on the way is a lock's. */
static bool strip(Dwarf_Die *type) {
    for (int i = 0; i < DEEPEST_NESTING && !is_lock_type(type); i++) {
        int tag = dwarf_tag(type);
        if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type &&
            tag != DW_TAG_atomic_type)
            return true;
        if (!next_type(type, type))
            return false;
    }
    return true;
}

static size_t dimensions(Dwarf_Die *array, uint64_t *lengths) {
    Dwarf_Die child;
    size_t count = 0;
    if (dwarf_child(array, &child) != 0)
        return 0;
    do {
        Dwarf_Attribute memory;
        Dwarf_Word value = 0;
        if (dwarf_tag(&child) != DW_TAG_subrange_type || count == DEEPEST_NESTING)
            continue;
        if (dwarf_formudata(dwarf_attr(&child, DW_AT_count, &memory), &value) != 0 &&
            dwarf_formudata(dwarf_attr(&child, DW_AT_upper_bound, &memory), &value) == 0)
            value++;
        lengths[count++] = value;
    } while (dwarf_siblingof(&child, &child) == 0);
    return count;
}

/* Appends "[i][j]" and moves to the element. */
static bool enter_array(struct text *path, Dwarf_Die *type, uint64_t *offset) {
    uint64_t lengths[DEEPEST_NESTING], size = 0, inner = 1;
    Dwarf_Die element;
    size_t count = dimensions(type, lengths);
    if (!next_type(type, &element) || dwarf_aggregate_size(&element, &size) != 0 || size == 0 || count == 0)
        return false;
    uint64_t number = *offset / size;
    for (size_t i = 1; i < count; i++)
        if (__builtin_mul_overflow(inner, lengths[i] ? lengths[i] : 1, &inner))
            return false;
    for (size_t i = 0; i < count; i++) {
        text_printf(path, "[%lu]", (unsigned long)(number / inner));
        number %= inner;
        if (i + 1 < count)
            inner /= lengths[i + 1] ? lengths[i + 1] : 1;
    }
    *offset %= size;
    *type = element;
    return true;
}

static bool member_at(Dwarf_Die *type, uint64_t offset, Dwarf_Die *member, uint64_t *start) {
    if (dwarf_child(type, member) != 0)
        return false;
    do {
        Dwarf_Attribute memory;
        Dwarf_Die kind;
        Dwarf_Word at = 0, size = 0;
        int tag = dwarf_tag(member);
        if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || dwarf_hasattr(member, DW_AT_external))
            continue;
        Dwarf_Attribute *place = dwarf_attr(member, DW_AT_data_member_location, &memory);
        if (place && dwarf_formudata(place, &at) != 0)
            continue;
        if (next_type(member, &kind) && dwarf_aggregate_size(&kind, &size) == 0 && offset >= at &&
            offset - at < size) {
            *start = at;
            return true;
        }
    } while (dwarf_siblingof(member, member) == 0);
    return false;
}

/* Appends ".member" (nothing for a base class or an unnamed member). */
static bool enter_member(struct text *path, struct pool *pool, Dwarf_Die *type, uint64_t *offset) {
    Dwarf_Die member;
    uint64_t start = 0;
    if (!member_at(type, *offset, &member, &start))
        return false;
    const char *name = dwarf_tag(&member) == DW_TAG_member ? dwarf_diename(&member) : NULL;
    if (name)
        text_printf(path, ".%s", text_clean(pool, name));
    *offset -= start;
    return next_type(&member, type);
}

static bool descend(struct text *path, struct pool *pool, Dwarf_Die type, uint64_t offset) {
    for (int i = 0; i < DEEPEST_NESTING; i++) {
        if (!strip(&type))
            return false;
        if (is_lock_type(&type))
            return offset == 0;
        int tag = dwarf_tag(&type);
        bool inside = tag == DW_TAG_array_type ? enter_array(path, &type, &offset)
                      : tag == DW_TAG_structure_type || tag == DW_TAG_class_type
                          ? enter_member(path, pool, &type, &offset)
                          : false;
        if (!inside)
            return offset == 0;
    }
    return false;
}

const char *variable_path(struct pool *pool, struct variable_index *index, Dwfl_Module *module,
                          uint64_t address, uint64_t displacement) {
    if (!index->made)
        make_index(index, module);
    struct typed_variable key = {.address = address}, *found = NULL;
    if (index->count)
        found = bsearch(&key, index->variables, index->count, sizeof key, compare_variables);
    Dwarf_Die type;
    struct text path = {0};
    const char *result = NULL;
    if (found && next_type(&found->die, &type) && descend(&path, pool, type, displacement))
        result = pool_string(pool, text_string(&path));
    text_free(&path);
    return result;
}
