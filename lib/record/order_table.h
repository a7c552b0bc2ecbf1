/* A declared order (lockgraph-order(5)) as the runtime needs it: which addresses of
 * which modules are locks of which class, and what the classes' order is.  Made by the
 * command, where names can be looked up; read by the runtime, which trusts nothing in
 * it, and by the command.
 *
 * One block: the header, then the arrays in the order of their counts, then the
 * strings, each with its terminator.  Nothing in it changes once it is handed over. */
#ifndef LOCKGRAPH_RECORD_ORDER_TABLE_H
#define LOCKGRAPH_RECORD_ORDER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LGR_ORDER_MAGIC "LGORDER1" /* 8 bytes, no terminator */

struct lgr_order_header {
    uint64_t key; /* the launcher's choice, also in the option */
    char magic[8];
    uint64_t size; /* of the whole block */
    uint32_t class_count, module_count, range_count, before_count;
    uint32_t string_bytes; /* ends with a terminator */
    uint32_t reserved;
};

/* How locks of one class nest. */
enum lgr_order_nesting {
    LGR_NEST_NEVER = 0,
    LGR_NEST_BY_ADDRESS = 1,
    LGR_NEST_ANYHOW = 2,
    LGR_NEST_BY_KEY = 3, /* which the program gives (LG_KEY) */
    LGR_NESTINGS
};

struct lgr_order_class {
    uint32_t name; /* offset among the strings */
    int16_t level; /* INT16_MIN: none */
    uint16_t nesting;
};
/* Known by its build id where it has one, else by its path. */
struct lgr_order_module {
    uint32_t path, build_id, build_id_length; /* raw bytes, among the strings */
    uint32_t first_range, range_count;
    uint32_t reserved;
};
enum lgr_order_what { LGR_ORDER_VARIABLE = 0, LGR_ORDER_CALL = 1, LGR_ORDER_USE = 2 };
/* Of ranges that overlap the first counts. */
struct lgr_order_range {
    uint64_t start, end; /* ELF virtual addresses: of variables, or of code that initialises or uses */
    uint32_t class_index;
    uint32_t what; /* enum lgr_order_what */
};
/* `first` must not be taken while `second` is held; sorted, and complete: what follows
 * from other pairs is there. */
struct lgr_order_before {
    uint32_t first, second;
};

struct lgr_order {
    const struct lgr_order_header *header;
    const struct lgr_order_class *classes;
    const struct lgr_order_module *modules;
    const struct lgr_order_range *ranges;
    const struct lgr_order_before *befores;
    const char *strings;
};

/* Every offset, index and length is looked at.  False: not such a block. */
bool lgr_order_read(struct lgr_order *order, const void *block, uint64_t size);

#define LGR_ORDER_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
/* The runtime's side: what the option names (handed_over.h, saved_order.h), mapped for good.  "none"
 * is no order and no failure; false: there should be one.  Once, before there are threads. */
bool lgr_order_open(struct lgr_order *order, const char *option);

/* Numbers from 1; 0: none. */
uint32_t lgr_order_module_like(const struct lgr_order *order, const char *path, const uint8_t *build_id,
                               size_t build_id_length);
/* Whether it knows a module by that path, whatever build. */
bool lgr_order_names_module(const struct lgr_order *order, const char *path);
uint32_t lgr_order_class_at(const struct lgr_order *order, uint32_t module, enum lgr_order_what what,
                            uint64_t offset);
/* Whether class `first` (from 0) comes before `second` by a pair of theirs. */
bool lgr_order_is_before(const struct lgr_order *order, uint32_t first, uint32_t second);

#endif
