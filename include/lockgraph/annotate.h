/* Annotations: what a program with plain pthread locks, or with locks of its own
 * making, tells Lockgraph about them.
 *
 *     LG_NAME(&table->lock, "table");           what reports call it; of all locks of
 *                                               that name the class
 *     LG_LEVEL(&table->lock, LEVEL_TABLE);      its place in the declared order
 *     LG_LEVEL_KEYED(&row->lock, LEVEL_ROW, row->number);
 *     LG_KEY(&row->lock, row->number);          the key alone: an order file has the level
 *     LG_ORDER("table", "log");                 where both are held, table was first
 *
 * Header-only: nothing is linked, and in a process without the runtime, as in a static
 * executable, the macros do nothing.  In one with it they are a call; without it, a
 * look at one variable.  With LOCKGRAPH_DISABLE nothing is left.  They are statements,
 * evaluate their arguments once, and never change errno.
 *
 * LG_NAME and LG_LEVEL take a pthread_mutex_t *, pthread_rwlock_t *,
 * pthread_spinlock_t *, sem_t *, mtx_t * (where <threads.h> was included before), or
 * the address of a custom lock; from C++ a std::mutex by its native_handle().  Call
 * them after the lock was initialised, before another thread sees it: what was known
 * of it before is forgotten.
 *
 * A custom lock is announced by its address:
 *
 *     LG_CUSTOM_CREATED(lock, "name")   its life begins; "name" may be NULL
 *     LG_CUSTOM_ACQUIRING(lock)         a request that may block, before it does
 *     LG_CUSTOM_BLOCKING(lock)          it is busy, and the thread goes to sleep now; no
 *                                       other lock is taken until one of the next two.
 *                                       May be left out: then a deadlock is foretold,
 *                                       but not seen when it happens
 *     LG_CUSTOM_ACQUIRED(lock)          held; without ACQUIRING: a try that got it
 *     LG_CUSTOM_FAILED(lock)            it was not to be had (a time limit)
 *     LG_CUSTOM_RELEASED(lock)          before it is given up
 *     LG_CUSTOM_DESTROYED(lock)         its life ends
 *
 * ACQUIRING, BLOCKING and ACQUIRED have a form with _SHARED for readers.
 *
 *     LG_UNPUBLISHED(lock)   no other thread can reach it yet: what is taken under it,
 *     LG_PUBLISHED(lock)     or it under what, says nothing about the order; until now
 *     LG_HANDED_OVER(lock)   the caller holds it no more: another thread will, and
 *     LG_TAKEN_OVER(lock)    … that one does now, and will give it up
 *
 * What constructors of shared libraries say may come before the runtime is up, and is
 * then not heard.
 *
 * Programs that call the __tsan_mutex_* functions of ThreadSanitizer are understood
 * without any of this. */
#ifndef LOCKGRAPH_ANNOTATE_H
#define LOCKGRAPH_ANNOTATE_H

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>

#include <lockgraph/note.h>

/* ---- what kind of lock ---- */

#ifdef __cplusplus
static __inline__ uint8_t lg_note_kind_of(const pthread_mutex_t *) { return LG_NOTE_MUTEX; }
static __inline__ uint8_t lg_note_kind_of(const pthread_rwlock_t *) { return LG_NOTE_RWLOCK; }
static __inline__ uint8_t lg_note_kind_of(pthread_spinlock_t *) { return LG_NOTE_SPIN; }
static __inline__ uint8_t lg_note_kind_of(const sem_t *) { return LG_NOTE_SEMAPHORE; }
static __inline__ uint8_t lg_note_kind_of(const volatile void *) { return LG_NOTE_CUSTOM; }
#define LG_NOTE_KIND(lock) lg_note_kind_of(lock)
#else
#if defined __USE_UNIX98 || defined __USE_XOPEN2K
#define LG_NOTE_POSIX_2001 pthread_rwlock_t * : LG_NOTE_RWLOCK, pthread_spinlock_t * : LG_NOTE_SPIN,
#else
#define LG_NOTE_POSIX_2001
#endif
#ifdef _THREADS_H
#define LG_NOTE_C11 mtx_t * : LG_NOTE_MUTEX,
#else
#define LG_NOTE_C11
#endif
#define LG_NOTE_KIND(lock)                                                                                   \
    (uint8_t) __extension__ _Generic((lock), pthread_mutex_t *                                               \
                                     : LG_NOTE_MUTEX, LG_NOTE_POSIX_2001 LG_NOTE_C11 sem_t *                 \
                                     : LG_NOTE_SEMAPHORE, default                                            \
                                     : LG_NOTE_CUSTOM)
#endif

/* ---- how the runtime is found ---- */

#ifdef LOCKGRAPH_DISABLE
#define LG_NOTE(what, kind, flags, lock, name, other, level, key)                                            \
    ((void)(lock), (void)(name), (void)(other), (void)(level), (void)(key))
#else

typedef int lg_annotate_call(const struct lg_note *note);

/* One for each executable and library; written once, by its first constructor.  A
 * weak reference to lg_annotate itself would be none any more in an executable that
 * was linked without -pie; dlsym is looked for instead, but not pulled into a static
 * one. */
struct lg_annotate_hook {
    lg_annotate_call *call; /* NULL: no runtime here */
    int looked;
};
__attribute__((weak, visibility("hidden"))) struct lg_annotate_hook lg_annotate_hook;

#ifdef __cplusplus
extern "C" {
#endif
static void *lg_annotate_dlsym(void *handle, const char *name) __attribute__((weakref("dlsym")));
static char *lg_annotate_dlerror(void) __attribute__((weakref("dlerror")));
#ifdef __cplusplus
}
#endif

__attribute__((constructor(101), used)) static void lg_annotate_look(void) {
    void *found = NULL;
    if (lg_annotate_hook.looked)
        return;
    if (lg_annotate_dlsym != NULL)
        found = lg_annotate_dlsym(NULL /* RTLD_DEFAULT */, "lg_annotate");
    if (found == NULL && lg_annotate_dlerror != NULL)
        lg_annotate_dlerror(); /* the program never asked */
    __builtin_memcpy(&lg_annotate_hook.call, &found, sizeof found);
    lg_annotate_hook.looked = 1;
}

/* Constructors that run before that one come here, too. */
static __inline__ lg_annotate_call *lg_annotate_found(void) {
    if (__builtin_expect(!lg_annotate_hook.looked, 0))
        lg_annotate_look();
    return lg_annotate_hook.call;
}

/* In place, so that the call is the line of the program that it stands in. */
#define LG_NOTE(what, kind, flags, lock, name, other, level, key)                                            \
    __extension__({                                                                                          \
        const struct lg_note lg_note = {(uint32_t)sizeof(struct lg_note),                                    \
                                        (what),                                                              \
                                        (kind),                                                              \
                                        (flags),                                                             \
                                        (lock),                                                              \
                                        (name),                                                              \
                                        (other),                                                             \
                                        (uint64_t)(key),                                                     \
                                        (int32_t)(level)};                                                   \
        lg_annotate_call *const lg_note_call = lg_annotate_found();                                          \
        if (lg_note_call != NULL)                                                                            \
            lg_note_call(&lg_note);                                                                          \
    })
#endif

#define LG_NOTE_LOCK(what, kind, flags, lock)                                                                \
    LG_NOTE(what, kind, flags, lock, (const char *)0, (const char *)0, 0, 0)
#define LG_NOTE_CUSTOM_LOCK(what, flags, lock) LG_NOTE_LOCK(what, LG_NOTE_CUSTOM, flags, lock)

/* ---- names, levels, order ---- */

#define LG_NAME(lock, name) LG_NOTE(LG_NOTE_NAME, LG_NOTE_KIND(lock), 0, lock, name, (const char *)0, 0, 0)
/* Without a name the lock is called by the expression. */
#define LG_LEVEL(lock, level)                                                                                \
    LG_NOTE(LG_NOTE_LEVEL, LG_NOTE_KIND(lock), 0, lock, #lock, (const char *)0, level, 0)
#define LG_LEVEL_KEYED(lock, level, key)                                                                     \
    LG_NOTE(LG_NOTE_LEVEL, LG_NOTE_KIND(lock), LG_NOTE_KEYED, lock, #lock, (const char *)0, level, key)
#define LG_KEY(lock, key)                                                                                    \
    LG_NOTE(LG_NOTE_KEY, LG_NOTE_KIND(lock), 0, lock, (const char *)0, (const char *)0, 0, key)
#define LG_ORDER(first, second) LG_NOTE(LG_NOTE_ORDER, 0, 0, (const void *)0, first, second, 0, 0)

/* ---- custom locks ---- */

#define LG_CUSTOM_CREATED(lock, name)                                                                        \
    LG_NOTE(LG_NOTE_CREATED, LG_NOTE_CUSTOM, 0, lock, name, (const char *)0, 0, 0)
#define LG_CUSTOM_DESTROYED(lock)        LG_NOTE_CUSTOM_LOCK(LG_NOTE_DESTROYED, 0, lock)
#define LG_CUSTOM_ACQUIRING(lock)        LG_NOTE_CUSTOM_LOCK(LG_NOTE_ACQUIRING, 0, lock)
#define LG_CUSTOM_ACQUIRING_SHARED(lock) LG_NOTE_CUSTOM_LOCK(LG_NOTE_ACQUIRING, LG_NOTE_SHARED, lock)
#define LG_CUSTOM_BLOCKING(lock)         LG_NOTE_CUSTOM_LOCK(LG_NOTE_BLOCKING, 0, lock)
#define LG_CUSTOM_BLOCKING_SHARED(lock)  LG_NOTE_CUSTOM_LOCK(LG_NOTE_BLOCKING, LG_NOTE_SHARED, lock)
#define LG_CUSTOM_ACQUIRED(lock)         LG_NOTE_CUSTOM_LOCK(LG_NOTE_ACQUIRED, 0, lock)
#define LG_CUSTOM_ACQUIRED_SHARED(lock)  LG_NOTE_CUSTOM_LOCK(LG_NOTE_ACQUIRED, LG_NOTE_SHARED, lock)
#define LG_CUSTOM_FAILED(lock)           LG_NOTE_CUSTOM_LOCK(LG_NOTE_FAILED, 0, lock)
#define LG_CUSTOM_RELEASED(lock)         LG_NOTE_CUSTOM_LOCK(LG_NOTE_RELEASED, 0, lock)

/* ---- who can reach a lock, and who holds it ---- */

#define LG_UNPUBLISHED(lock) LG_NOTE_LOCK(LG_NOTE_UNPUBLISHED, LG_NOTE_KIND(lock), 0, lock)
#define LG_PUBLISHED(lock)   LG_NOTE_LOCK(LG_NOTE_PUBLISHED, LG_NOTE_KIND(lock), 0, lock)
#define LG_HANDED_OVER(lock) LG_NOTE_LOCK(LG_NOTE_HANDED_OVER, LG_NOTE_KIND(lock), 0, lock)
#define LG_TAKEN_OVER(lock)  LG_NOTE_LOCK(LG_NOTE_TAKEN_OVER, LG_NOTE_KIND(lock), 0, lock)

#ifdef LOCKGRAPH_PTHREAD_LATER
#include <lockgraph/pthread.h>
#endif

#endif
