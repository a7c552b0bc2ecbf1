/* The part of glibc's internal scratch buffers that its test support uses: a
 * buffer on the stack that moves to the heap when it is too small. */
#ifndef SCRATCH_BUFFER_H
#define SCRATCH_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct scratch_buffer {
    void *data;
    size_t length;
    _Alignas(max_align_t) char first[1024];
};

static inline void scratch_buffer_init(struct scratch_buffer *buffer) {
    buffer->data = buffer->first;
    buffer->length = sizeof buffer->first;
}

static inline void scratch_buffer_free(struct scratch_buffer *buffer) {
    if (buffer->data != buffer->first)
        free(buffer->data);
}

/* Twice the room, without the old contents; false and back to the first room
 * when there is no memory. */
static inline bool scratch_buffer_grow(struct scratch_buffer *buffer) {
    size_t length = 2 * buffer->length;
    scratch_buffer_free(buffer);
    void *data = malloc(length);
    if (data == NULL) {
        scratch_buffer_init(buffer);
        return false;
    }
    buffer->data = data;
    buffer->length = length;
    return true;
}

#endif
