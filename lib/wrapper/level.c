/* Assertions and questions: include/lockgraph/level.h, mutex.h. */
#include "engine/level.h"

#include <errno.h>

#include "engine/level_name.h"
#include "engine/misuse.h"
#include "interpose/lock_log.h"
#include "interpose/self.h"
#include "lockgraph/mutex.h"
#include "wrapper/call.h"

static bool is_level(int level) { return level > 0 && level <= INT16_MAX; }

static bool allowed(int level) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return true;
    bool allows = lge_level_allows(thread, (int16_t)level, false, 0);
    lgi_leave(thread);
    return allows;
}

LGI_EXPORT int lg_may_acquire(int level) { return is_level(level) && allowed(level); }

/* ---- names ---- */

static bool all_right(const struct lg_level_name *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!is_level(names[i].level) || names[i].name == NULL || names[i].name[0] == '\0')
            return false;
    return true;
}

LGI_EXPORT int lg_levels_name(const struct lg_level_name *names, size_t count) {
    if ((names == NULL && count != 0) || !all_right(names, count))
        return EINVAL;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return EBUSY;
    bool named = true;
    for (size_t i = 0; i < count; i++)
        named &= lge_level_name_set((int16_t)names[i].level, names[i].name);
    lgi_leave(thread);
    return named ? 0 : ENOMEM;
}

/* ---- assertions ---- */

static void failed(uint64_t lock, const void *address, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    struct lge_misuse misuse = {.kind = LGR_KIND_ASSERT_FAILED,
                                .lock = lock,
                                .site = site,
                                .sp = sp,
                                .address = address,
                                .lock_kind = LGR_LOCK_MUTEX};
    lge_report_misuse(thread, &misuse);
    lgi_leave(thread);
}

LGI_EXPORT void lg_assert_may_acquire(int level) {
    if (!lg_may_acquire(level))
        failed(0, NULL, LGI_SITE(), LGI_SP());
}

static void assert_mutex(const lg_mutex_t *m, bool wanted, uintptr_t site, uintptr_t sp) {
    if (lgi_local.block == NULL || lgw_holds(&m->mutex) == wanted)
        return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    uint32_t class_id = lgw_class(&m->declared);
    pthread_mutex_t *mutex = (pthread_mutex_t *)(uintptr_t)&m->mutex;
    uint64_t id = class_id != LGE_CLASS_NONE ? lgi_mutex_declared(thread, mutex, class_id)
                                             : lgi_mutex_identity(thread, mutex, site, sp);
    lgi_leave(thread);
    failed(id, &m->mutex, site, sp);
}

LGI_EXPORT void lg_assert_held(const lg_mutex_t *m) { assert_mutex(m, true, LGI_SITE(), LGI_SP()); }
LGI_EXPORT void lg_assert_not_held(const lg_mutex_t *m) { assert_mutex(m, false, LGI_SITE(), LGI_SP()); }

/* ---- dump ---- */

LGI_EXPORT void lg_held_dump(void) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    lgi_log_held(thread);
    lgi_leave(thread);
}
