/* Growing arrays with binary search. */
#include <stdlib.h>
#include <string.h>

#include "record/reader_model.h"

static bool grow(struct lgr_table *table) {
    size_t capacity = table->capacity ? table->capacity * 2 : 16;
    if (capacity > SIZE_MAX / table->item_size)
        return false;
    unsigned char *items = realloc(table->items, capacity * table->item_size);
    if (!items)
        return false;
    table->items = items;
    table->capacity = capacity;
    return true;
}

void *lgr_table_add(struct lgr_table *table) {
    if (table->count == table->capacity && !grow(table))
        return NULL;
    void *item = table->items + table->count++ * table->item_size;
    memset(item, 0, table->item_size);
    return item;
}

static const unsigned char *item_at(const struct lgr_table *table, size_t index) {
    return table->items + index * table->item_size;
}

static bool strictly_rising(const struct lgr_table *table) {
    for (size_t i = 1; i < table->count; i++)
        if (table->key(item_at(table, i - 1)) >= table->key(item_at(table, i)))
            return false;
    return true;
}

struct position {
    uint64_t key;
    size_t index;
};

static int compare_positions(const void *left, const void *right) {
    const struct position *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static struct position *sorted_positions(const struct lgr_table *table) {
    struct position *positions = calloc(table->count, sizeof *positions);
    if (!positions)
        return NULL;
    for (size_t i = 0; i < table->count; i++)
        positions[i] = (struct position){table->key(item_at(table, i)), i};
    qsort(positions, table->count, sizeof *positions, compare_positions);
    return positions;
}

/* Copies the last item of each key. */
static size_t copy_last(const struct lgr_table *table, const struct position *positions, unsigned char *to) {
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (i + 1 < table->count && positions[i + 1].key == positions[i].key)
            continue;
        memcpy(to + kept++ * table->item_size, item_at(table, positions[i].index), table->item_size);
    }
    return kept;
}

bool lgr_table_index(struct lgr_table *table) {
    if (strictly_rising(table))
        return true;
    struct position *positions = sorted_positions(table);
    unsigned char *items = malloc(table->capacity * table->item_size);
    bool done = positions && items;
    if (done) {
        table->count = copy_last(table, positions, items);
        free(table->items);
        table->items = items;
    } else {
        free(items);
    }
    free(positions);
    return done;
}

const void *lgr_table_find(const struct lgr_table *table, uint64_t key) {
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t found = table->key(item_at(table, middle));
        if (found == key)
            return item_at(table, middle);
        if (found < key)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void lgr_table_free(struct lgr_table *table) { free(table->items); }
