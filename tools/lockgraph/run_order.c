#include "run_order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "command.h"
#include "memory_file.h"
#include "order_compile.h"
#include "record/saved_order.h"

enum { WARNINGS = 5 };

static const char *told_condition(struct pool *pool, const struct order_rule *rule) {
    if (rule->variable)
        return pool_printf(pool, "no variable is called %s", text_clean(pool, rule->variable));
    if (rule->function && rule->source)
        return pool_printf(pool, "no code of %s is at %s", text_clean(pool, rule->function),
                           text_clean(pool, rule->source));
    if (rule->function)
        return pool_printf(pool, "no function is called %s", text_clean(pool, rule->function));
    if (rule->source)
        return pool_printf(pool, "no code is at %s", text_clean(pool, rule->source));
    return "no such file";
}

/* An order that is silently not looked at would pass for one that is kept. */
static void warn_unused(struct pool *pool, const struct order *order, const char *program,
                        const size_t *uses) {
    size_t unused = 0;
    for (size_t i = 0; i < order->rule_count; i++) {
        const struct order_rule *rule = &order->rules[i];
        if (uses[i] || ++unused > WARNINGS)
            continue;
        const char *in = rule->module ? text_clean(pool, rule->module)
                                      : pool_printf(pool, "%s and its libraries", text_clean(pool, program));
        complain("warning: %s:%u: the line declares nothing here: %s in %s%s", rule->place.file,
                 rule->place.line, told_condition(pool, rule), in,
                 rule->module ? "" : "; name another file with module PATH");
    }
    if (unused > WARNINGS)
        complain("warning: %zu more lines declare nothing here", unused - WARNINGS);
}

static int make_file(const struct text *block) {
    int descriptor = memory_file("lockgraph-order", (off_t)block->length);
    if (descriptor < 0)
        return -1;
    void *memory = mmap(NULL, block->length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory != MAP_FAILED) {
        memcpy(memory, block->data, block->length);
        munmap(memory, block->length); /* a map that may be written to stands against the seals */
        if (fcntl(descriptor, F_ADD_SEALS, LGR_ORDER_SEALS) == 0)
            return descriptor;
    }
    close(descriptor);
    return -1;
}

static void compile(struct pool *pool, const struct order *order, const char *program, uint64_t key,
                    struct text *block) {
    struct path_list modules = {0};
    size_t *uses = pool_array(pool, order->rule_count + 1, sizeof *uses);
    order_modules(pool, order, program, &modules);
    order_compile(pool, order, &modules, key, block, uses);
    warn_unused(pool, order, program, uses);
}

const char *order_hand_over(struct pool *pool, const struct order *order, const char *program,
                            const char **error) {
    uint64_t key = 0;
    struct text block = {0};
    if (getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key)
        key = (uint64_t)getpid();
    compile(pool, order, program, key, &block);
    int descriptor = make_file(&block);
    text_free(&block);
    if (descriptor < 0) {
        *error = pool_printf(pool, "cannot hand the declared order over: %s", strerror(errno));
        return NULL;
    }
    return pool_printf(pool, "/proc/%d/fd/%d/%llx", (int)getpid(), descriptor, (unsigned long long)key);
}

/* ---- a file ---- */

static bool write_block(const char *path, const struct text *block) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (descriptor < 0)
        return false;
    ssize_t written = write(descriptor, block->data, block->length);
    int error = written < 0 ? errno : ENOSPC;
    if (close(descriptor) == 0 && written == (ssize_t)block->length)
        return true;
    unlink(path);
    errno = error;
    return false;
}

/* A program that reads it at this moment finds the old one or the new one. */
static bool replace(const char *path, const char *beside, const struct text *block) {
    if (!write_block(beside, block))
        return false;
    if (rename(beside, path) == 0)
        return true;
    int error = errno;
    unlink(beside);
    errno = error;
    return false;
}

const char *order_save(struct pool *pool, const struct order *order, const char *program, const char *path,
                       const char **error) {
    struct text block = {0};
    const char *beside = pool_printf(pool, "%s.%d", path, (int)getpid());
    compile(pool, order, program, 0, &block);
    bool saved = replace(path, beside, &block);
    int reason = errno;
    text_free(&block);
    if (!saved) {
        *error = pool_printf(pool, "cannot write the declared order to %s: %s", text_clean(pool, path),
                             strerror(reason));
        return NULL;
    }
    return pool_printf(pool, LGR_SAVED_ORDER "%s", path);
}
