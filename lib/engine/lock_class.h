/* Classes: locks that play the same role. */
#ifndef LOCKGRAPH_ENGINE_LOCK_CLASS_H
#define LOCKGRAPH_ENGINE_LOCK_CLASS_H

#include "engine/engine.h"
#include "engine/order.h"

struct lge_class {
    struct lge_node node; /* its place in the class graph; first */
    uint32_t id;
    uint16_t kind;      /* enum lgr_class_kind */
    int16_t level;      /* INT16_MIN: none */
    bool keyed;         /* of one level, they nest by key */
    bool by_front_end;  /* level.h: who checks their level */
    uint32_t context;   /* of the initialisation or guess; else 0 */
    uint32_t recorded;  /* evidence generation */
    uintptr_t variable; /* address, LGR_CLASS_STATIC */
    uint32_t epoch;     /* of the modules, when it was made */
    char *name;
    size_t name_length;
};

/* NULL for an unknown id. */
struct lge_class *lge_class_get(uint32_t id);
/* Classes there are: ids count from 1. */
uint32_t lge_class_count(void);
void lge_classes_reset(void);

#endif
