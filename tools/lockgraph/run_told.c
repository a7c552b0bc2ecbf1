#include "run_told.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "memory_file.h"

/* A page whose size is settled, with a key that nobody else has. */
static struct lgr_told *make_page(int descriptor) {
    uint64_t key;
    if (fcntl(descriptor, F_ADD_SEALS, LGR_TOLD_SEALS) != 0 ||
        getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key)
        return NULL;
    void *memory = mmap(NULL, LGR_TOLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct lgr_told *page = memory;
    page->key = key;
    return page;
}

/* The descriptor and the page stay until the end: processes that outlive the
 * program may still start others. */
const struct lgr_told *told_make(struct pool *pool, const char **option) {
    int descriptor = memory_file("lockgraph-run", LGR_TOLD_SIZE);
    if (descriptor < 0)
        return NULL;
    struct lgr_told *page = make_page(descriptor);
    if (page == NULL)
        close(descriptor);
    else
        *option = pool_printf(pool, "/proc/%d/fd/%d/%llx", (int)getpid(), descriptor,
                              (unsigned long long)page->key);
    return page;
}
