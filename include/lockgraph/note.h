/* What a program tells the runtime about its locks: the form in which the macros of
 * lockgraph/annotate.h hand it over.  Programs use those. */
#ifndef LOCKGRAPH_NOTE_H
#define LOCKGRAPH_NOTE_H

#include <stdint.h>

enum lg_note_what {
    LG_NOTE_NAME = 1,    /* lock, name */
    LG_NOTE_LEVEL,       /* lock, name (used where it has none), level, key */
    LG_NOTE_CREATED,     /* custom locks: lock, name or NULL */
    LG_NOTE_DESTROYED,   /* lock */
    LG_NOTE_ACQUIRING,   /* lock, flags */
    LG_NOTE_BLOCKING,    /* lock, flags */
    LG_NOTE_ACQUIRED,    /* lock, flags */
    LG_NOTE_FAILED,      /* lock */
    LG_NOTE_RELEASED,    /* lock */
    LG_NOTE_UNPUBLISHED, /* any lock: lock */
    LG_NOTE_PUBLISHED,   /* lock */
    LG_NOTE_HANDED_OVER, /* lock */
    LG_NOTE_TAKEN_OVER,  /* lock, flags */
    LG_NOTE_ORDER,       /* name, other */
    LG_NOTE_INITIALISED, /* plain locks: lock, name; by this call, which tells its class */
    LG_NOTE_KEY          /* lock, key */
};

enum lg_note_kind {
    LG_NOTE_MUTEX = 1,
    LG_NOTE_RWLOCK = 2,
    LG_NOTE_SPIN = 3,
    LG_NOTE_SEMAPHORE = 4,
    LG_NOTE_CUSTOM = 5
};

enum lg_note_flags { LG_NOTE_SHARED = 1, LG_NOTE_KEYED = 2 };

struct lg_note {
    uint32_t size;             /* of this struct, as the program was compiled */
    uint16_t what;             /* enum lg_note_what */
    uint8_t kind;              /* enum lg_note_kind */
    uint8_t flags;             /* enum lg_note_flags */
    const volatile void *lock; /* the program's */
    const char *name, *other;  /* read during the call only */
    uint64_t key;
    int32_t level;
};

#ifdef __cplusplus
extern "C" {
#endif
/* 0, or EINVAL: the note says nothing that can be (a level out of range, an order
 * that contradicts one declared before), and is ignored; or ENOMEM.  Never blocks for
 * a lock of the program, never sets errno; not async-signal-safe. */
int lg_annotate(const struct lg_note *note);
#ifdef __cplusplus
}
#endif

#endif
