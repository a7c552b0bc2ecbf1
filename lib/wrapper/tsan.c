#include "wrapper/tsan.h"

#include <dlfcn.h>
#include <stddef.h>

#include "wrapper/custom.h"

/* Of enum __tsan_mutex_flags in sanitizer/tsan_interface.h those that matter here. */
enum {
    READ_LOCK = 1 << 3,
    TRY_LOCK = 1 << 4,
    TRY_LOCK_FAILED = 1 << 5,
    RECURSIVE_LOCK = 1 << 6,
    RECURSIVE_UNLOCK = 1 << 7
};

/* The loader fills this in, in a library also where bare weak references of a
 * program are none any more. */
void __tsan_init(void) __attribute__((weak, visibility("default")));

/* A ThreadSanitizer that comes after us in the search order, as a preloaded library
 * comes before it.  One linked into the program comes first, and we are not called. */
static struct {
    void (*create)(void *lock, unsigned flags);
    void (*destroy)(void *lock, unsigned flags);
    void (*pre_lock)(void *lock, unsigned flags);
    void (*post_lock)(void *lock, unsigned flags, int recursion);
    int (*pre_unlock)(void *lock, unsigned flags);
    void (*post_unlock)(void *lock, unsigned flags);
    void (*pre_signal)(void *lock, unsigned flags);
    void (*post_signal)(void *lock, unsigned flags);
    void (*pre_divert)(void *lock, unsigned flags);
    void (*post_divert)(void *lock, unsigned flags);
} real; /* written by the constructor, all or none */

static void find(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);
    *(void **)function = found;
}

void lgw_tsan_start(void) {
    if (__tsan_init == NULL)
        return;
    find("__tsan_mutex_create", &real.create);
    find("__tsan_mutex_destroy", &real.destroy);
    find("__tsan_mutex_pre_lock", &real.pre_lock);
    find("__tsan_mutex_post_lock", &real.post_lock);
    find("__tsan_mutex_pre_unlock", &real.pre_unlock);
    find("__tsan_mutex_post_unlock", &real.post_unlock);
    find("__tsan_mutex_pre_signal", &real.pre_signal);
    find("__tsan_mutex_post_signal", &real.post_signal);
    find("__tsan_mutex_pre_divert", &real.pre_divert);
    find("__tsan_mutex_post_divert", &real.post_divert);
}

/* ---- events ---- */

typedef void custom_event(const struct lgw_custom *call);

static void tell(custom_event *event, const void *lock, unsigned flags, uintptr_t site, uintptr_t sp) {
    struct lgw_custom call = {lgi_enter(), lock, site, sp, (flags & READ_LOCK) != 0};
    if (call.thread == NULL)
        return;
    event(&call);
    lgi_leave(call.thread);
}

static void created(const struct lgw_custom *call) { lgw_custom_created(call, NULL); }

#define FORWARD(function, ...)                                                                               \
    do {                                                                                                     \
        if (LGI_UNLIKELY(real.function != NULL)) {                                                           \
            real.function(__VA_ARGS__);                                                                      \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

LGI_EXPORT void __tsan_mutex_create(void *lock, unsigned flags) {
    FORWARD(create, lock, flags);
    tell(created, lock, 0, LGI_SITE(), LGI_SP());
}

LGI_EXPORT void __tsan_mutex_destroy(void *lock, unsigned flags) {
    FORWARD(destroy, lock, flags);
    tell(lgw_custom_destroyed, lock, 0, LGI_SITE(), LGI_SP());
}

LGI_EXPORT void __tsan_mutex_pre_lock(void *lock, unsigned flags) {
    FORWARD(pre_lock, lock, flags);
    if ((flags & TRY_LOCK) == 0)
        tell(lgw_custom_acquiring, lock, flags, LGI_SITE(), LGI_SP());
}

LGI_EXPORT void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion) {
    FORWARD(post_lock, lock, flags, recursion);
    int times = (flags & TRY_LOCK_FAILED) != 0 ? 0 : (flags & RECURSIVE_LOCK) != 0 ? recursion : 1;
    for (int i = 0; i < times; i++)
        tell(lgw_custom_acquired, lock, flags, LGI_SITE(), LGI_SP());
}

/* The answer of a recursive unlock is how often the lock was held. */
static int all_released(const void *lock) {
    struct lge_thread *thread = lgi_enter();
    int count = 0;
    if (thread == NULL)
        return 1;
    while (lge_released(thread, lgw_custom_address(lock)))
        count++;
    lgi_leave(thread);
    return count;
}

LGI_EXPORT int __tsan_mutex_pre_unlock(void *lock, unsigned flags) {
    if (LGI_UNLIKELY(real.pre_unlock != NULL))
        return real.pre_unlock(lock, flags);
    if ((flags & RECURSIVE_UNLOCK) != 0)
        return all_released(lock);
    tell(lgw_custom_released, lock, flags, LGI_SITE(), LGI_SP());
    return 0;
}

/* Nothing that is not known by now. */

LGI_EXPORT void __tsan_mutex_post_unlock(void *lock, unsigned flags) { FORWARD(post_unlock, lock, flags); }

LGI_EXPORT void __tsan_mutex_pre_signal(void *lock, unsigned flags) { FORWARD(pre_signal, lock, flags); }

LGI_EXPORT void __tsan_mutex_post_signal(void *lock, unsigned flags) { FORWARD(post_signal, lock, flags); }

LGI_EXPORT void __tsan_mutex_pre_divert(void *lock, unsigned flags) { FORWARD(pre_divert, lock, flags); }

LGI_EXPORT void __tsan_mutex_post_divert(void *lock, unsigned flags) { FORWARD(post_divert, lock, flags); }
