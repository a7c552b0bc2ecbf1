#include "interpose/file_descriptors.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>

#include "engine/map.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/system.h"

struct description {
    uint64_t number;
    uint32_t known; /* descriptors that lead to it */
    uint32_t user;  /* serial of the thread that locked through it first */
    bool several;   /* others did, too */
};
struct descriptor {
    int number;
    struct lge_file_key file;
    struct description *description;
};

static struct lgp_lock lock;
static struct lge_map by_number, by_file;
static uint64_t last_number;

_Atomic uint32_t lgi_descriptor_marks[LGI_DESCRIPTOR_MARKS], lgi_descriptors_known;

static uint64_t file_hash(const struct lge_file_key *key) { return lge_mix(key->device, key->inode); }

static bool same_file(const struct lge_file_key *a, const struct lge_file_key *b) {
    return a->device == b->device && a->inode == b->inode && a->birth == b->birth;
}

static void mark(int number, uint32_t more) {
    atomic_fetch_add_explicit(&lgi_descriptor_marks[(unsigned)number % LGI_DESCRIPTOR_MARKS], more,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&lgi_descriptors_known, more, memory_order_relaxed);
}

/* ---- one description or two? ---- */

enum sameness { DIFFERENT, SAME, UNKNOWN };

/* fcntl's F_DUPFD_QUERY of Linux 6.10, which older headers do not have. */
enum { DUPFD_QUERY = 1024 + 3 };

static enum sameness compare(int a, int b) {
    long same = lgp_syscall(SYS_fcntl, a, DUPFD_QUERY, b, 0, 0, 0);
    if (same >= 0)
        return same == 1 ? SAME : DIFFERENT;
    long pid = (long)lgp_pid();
    long order = lgp_syscall(SYS_kcmp, pid, pid, KCMP_FILE, a, b, 0);
    if (order < 0)
        return UNKNOWN;
    return order == 0 ? SAME : DIFFERENT;
}

/* ---- under the lock ---- */

/* The known description of the same file that this one is, or cannot be told
 * from. */
static struct description *find_other(int number, const struct lge_file_key *file) {
    uint64_t code = file_hash(file);
    for (size_t i = lge_map_first(&by_file, code); i != SIZE_MAX; i = lge_map_next(&by_file, i)) {
        const struct descriptor *known = lge_map_at(&by_file, i);
        if (same_file(&known->file, file) && compare(known->number, number) != DIFFERENT)
            return known->description;
    }
    return NULL;
}

static void let_go(struct description *description) {
    if (--description->known == 0)
        lgp_free(description, sizeof *description);
}

static void drop(struct descriptor *descriptor) {
    lge_map_remove(&by_number, (uint64_t)descriptor->number, descriptor);
    lge_map_remove(&by_file, file_hash(&descriptor->file), descriptor);
    mark(descriptor->number, UINT32_MAX);
    let_go(descriptor->description);
    lgp_free(descriptor, sizeof *descriptor);
}

static struct description *description_for(int number, const struct lge_file_key *file, uint32_t serial) {
    struct description *description = find_other(number, file);
    if (description == NULL && (description = lgp_alloc(sizeof *description)) != NULL)
        *description = (struct description){.number = ++last_number, .user = serial};
    if (description != NULL)
        description->known++;
    return description;
}

static struct descriptor *add(int number, const struct lge_file_key *file, uint32_t serial) {
    struct description *description = description_for(number, file, serial);
    struct descriptor *made = description != NULL ? lgp_alloc(sizeof *made) : NULL;
    if (made != NULL) {
        *made = (struct descriptor){number, *file, description};
        mark(number, 1);
        if (lge_map_add(&by_number, (uint64_t)number, made) && lge_map_add(&by_file, file_hash(file), made))
            return made;
        drop(made);
    } else if (description != NULL) {
        let_go(description);
    }
    return NULL;
}

/* ---- questions ---- */

uint64_t lgi_description_of(int descriptor, const struct lge_file_key *key, uint32_t serial, bool *shared) {
    lgp_lock(&lock);
    struct descriptor *known = lge_map_get(&by_number, (uint64_t)descriptor);
    if (known != NULL && !same_file(&known->file, key)) { /* closed where we do not look */
        drop(known);
        known = NULL;
    }
    if (known == NULL)
        known = add(descriptor, key, serial);
    uint64_t number = known == NULL ? 0 : known->description->number;
    if (known != NULL && known->description->user != serial)
        known->description->several = true;
    *shared = known == NULL || known->description->several;
    lgp_unlock(&lock);
    return number;
}

uint64_t lgi_descriptor_gone(int descriptor) {
    uint64_t last = 0;
    lgp_lock(&lock);
    struct descriptor *known = lge_map_get(&by_number, (uint64_t)descriptor);
    if (known != NULL) {
        last = known->description->known == 1 ? known->description->number : 0;
        drop(known);
    }
    lgp_unlock(&lock);
    return last;
}

int lgi_descriptor_within(unsigned first, unsigned last) {
    int found = -1;
    lgp_lock(&lock);
    for (size_t i = 0; i < by_number.capacity; i++) {
        const struct descriptor *known = by_number.slots[i].value;
        if (known != NULL && (unsigned)known->number >= first && (unsigned)known->number <= last) {
            last = (unsigned)known->number;
            found = known->number;
        }
    }
    lgp_unlock(&lock);
    return found;
}

void lgi_descriptors_forget(void) {
    by_number = by_file = (struct lge_map){0};
    bool marked = atomic_load_explicit(&lgi_descriptors_known, memory_order_relaxed) != 0;
    for (size_t i = 0; marked && i < LGI_DESCRIPTOR_MARKS; i++)
        atomic_store_explicit(&lgi_descriptor_marks[i], 0, memory_order_relaxed);
    atomic_store_explicit(&lgi_descriptors_known, 0, memory_order_relaxed);
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
