/* What the program said of single locks whose memory is not ours: the key among locks
 * of their level, and the class of one that no other thread can reach yet.
 *
 * Few locks have such a note; nobody asks for one while there is none.  Any thread. */
#ifndef LOCKGRAPH_ENGINE_LOCK_NOTE_H
#define LOCKGRAPH_ENGINE_LOCK_NOTE_H

#include "engine/engine.h"

/* False: out of memory. */
bool lge_note_key(uint64_t id, uint64_t key);
/* 0: none was noted. */
uint64_t lge_noted_key(uint64_t id);

/* That lock is of `class_id` once it is published. */
bool lge_note_unpublished(uint64_t id, uint32_t class_id);
/* False: it is none that was not published. */
bool lge_noted_unpublished(uint64_t id, uint32_t *class_id);

/* The lock is gone. */
void lge_note_forget(uint64_t id);
void lge_notes_reset(void);

#endif
