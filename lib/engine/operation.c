#include "engine/operation.h"

#include <string.h>

#include "engine/lifecycle.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

struct operation {
    uint32_t number; /* from 1 */
    size_t length;
    char name[];
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_name; /* a hash of it */
    struct lge_map by_number;
    uint32_t count;
} all;

static size_t size_of(size_t length) { return sizeof(struct operation) + length + 1; }

static struct operation *find(uint64_t key, const char *name, size_t length) {
    for (size_t at = lge_map_first(&all.by_name, key); at != SIZE_MAX; at = lge_map_next(&all.by_name, at)) {
        struct operation *known = lge_map_at(&all.by_name, at);
        if (known->length == length && memcmp(known->name, name, length) == 0)
            return known;
    }
    return NULL;
}

static struct operation *add(uint64_t key, const char *name, size_t length) {
    struct operation *operation = lgp_alloc(size_of(length));
    if (operation == NULL)
        return NULL;
    operation->number = all.count + 1;
    operation->length = length;
    memcpy(operation->name, name, length);
    if (!lge_map_add(&all.by_number, operation->number, operation)) {
        lgp_free(operation, size_of(length));
        return NULL;
    }
    all.count++;
    lge_map_add(&all.by_name, key, operation); /* without it the next of that name is another one */
    return operation;
}

/* 0: memory is out. */
static uint32_t number_of(const char *name) {
    size_t length = strlen(name);
    uint64_t key = lge_mix_bytes(length, name, length);
    lgp_lock(&all.lock);
    struct operation *operation = find(key, name, length);
    if (operation == NULL)
        operation = add(key, name, length);
    lgp_unlock(&all.lock);
    return operation == NULL ? 0 : operation->number;
}

const char *lge_operation_name(uint32_t number) {
    lgp_lock(&all.lock);
    const struct operation *operation = number == 0 ? NULL : lge_map_get(&all.by_number, number);
    lgp_unlock(&all.lock);
    return operation == NULL ? NULL : operation->name;
}

static bool make_room(struct lge_thread *thread) {
    enum { FIRST = 8 };
    if (thread->operation_count < thread->operation_room)
        return true;
    uint32_t room = thread->operation_room == 0 ? FIRST : thread->operation_room * 2;
    uint32_t *larger =
        lgp_resize(thread->operations, thread->operation_room * sizeof *larger, room * sizeof *larger);
    if (larger == NULL)
        return false;
    thread->operations = larger;
    thread->operation_room = room;
    return true;
}

bool lge_operation_begin(struct lge_thread *thread, const char *name) {
    uint32_t number = number_of(name);
    if (number == 0 || !make_room(thread))
        return false;
    thread->operations[thread->operation_count++] = number;
    return true;
}

void lge_operation_end(struct lge_thread *thread) {
    if (thread->operation_count != 0)
        thread->operation_count--;
}

void lge_operations_leave_all(struct lge_thread *thread) {
    lgp_free(thread->operations, thread->operation_room * sizeof *thread->operations);
    thread->operations = NULL;
    thread->operation_count = thread->operation_room = 0;
}

void lge_operations_reset(void) {
    for (uint32_t number = 1; number <= all.count; number++) {
        struct operation *operation = lge_map_get(&all.by_number, number);
        lgp_free(operation, size_of(operation->length));
    }
    lge_map_clear(&all.by_name);
    lge_map_clear(&all.by_number);
    all.count = 0;
}

struct lgp_part lge_operations_part(void) {
    return (struct lgp_part){&all.lock, (void *)&all, sizeof all};
}
