#include "interpose/sem_fast.h"

#include "engine/identity.h"
#include "interpose/real.h"

static bool holds(sem_t *semaphore, uint64_t word) { return *lgi_sem_word(semaphore) == word; }

/* libc takes what we gave, and the other way round. */
static bool agrees_with_libc(void) {
    sem_t semaphore;
    uint64_t now;
    if (lgi_real.sem_init(&semaphore, 0, 1) != 0 || !holds(&semaphore, 1))
        return false;
    if (!lgi_fast_sem_take(&semaphore) || !holds(&semaphore, 0) || lgi_fast_sem_take(&semaphore))
        return false;
    if (lgi_real.sem_post(&semaphore) != 0 || !lgi_fast_sem_quiet(&semaphore, &now) || now != 1)
        return false;
    if (!lgi_fast_sem_give(&semaphore, now) || !holds(&semaphore, 2))
        return false;
    for (int i = 0; i < 2; i++)
        if (lgi_real.sem_trywait(&semaphore) != 0)
            return false;
    return holds(&semaphore, 0) && lgi_real.sem_destroy(&semaphore) == 0;
}

/* Another interposer must see every call. */
static bool libc_is_next(void) {
    return lgi_real_is_libc("sem_wait", (void *)lgi_real.sem_wait) &&
           lgi_real_is_libc("sem_post", (void *)lgi_real.sem_post) &&
           lgi_real_is_libc("sem_trywait", (void *)lgi_real.sem_trywait);
}

void lgi_sem_fast_start(void) { lge_hot.fast_semaphore = libc_is_next() && agrees_with_libc(); }
