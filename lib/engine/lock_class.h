/* Classes: locks that play the same role. */
#ifndef LOCKGRAPH_ENGINE_LOCK_CLASS_H
#define LOCKGRAPH_ENGINE_LOCK_CLASS_H

#include "engine/engine.h"
#include "engine/order.h"

struct lge_class {
    struct lge_node node; /* its place in the class graph; first */
    uint32_t id;
    uint16_t kind;     /* enum lgr_class_kind */
    int16_t level;     /* INT16_MIN: none */
    bool keyed;        /* of one level, they nest by key */
    bool by_address;   /* which is their address */
    bool by_front_end; /* level.h: who checks their level */
    bool anyhow;       /* among themselves they nest in any order */
    uint32_t order;    /* its number in the order file (declared.h); 0: it is not of one */
    /* The class that the order file has instead; relaxed: whoever asks gets the same. */
    _Atomic uint32_t declared;
    uint32_t context;   /* of the initialisation or guess; else 0 */
    uint32_t recorded;  /* evidence generation */
    uintptr_t variable; /* address, LGR_CLASS_STATIC */
    uint32_t epoch;     /* of the modules, when it was made */
    char *name;
    size_t name_length;
};

/* In `declared`: no class has these ids. */
enum { LGE_NOT_ASKED = 0 };
#define LGE_UNDECLARED UINT32_MAX

/* The class of that name and number in the order file; its nesting is of enum
 * lgr_order_nesting.  lge_check looks at its requests. */
uint32_t lge_class_ordered(const char *name, int16_t level, uint16_t nesting, uint32_t number);

/* NULL for an unknown id. */
struct lge_class *lge_class_get(uint32_t id);
/* Classes there are: ids count from 1. */
uint32_t lge_class_count(void);
void lge_classes_reset(void);

#endif
