/* Feeds the reader arbitrary bytes: once as they are, once as the records
 * behind a good header, where most of its decisions are. */
#include "../unit/record_walk.h"
#include "replay.h"

static void set_header(struct lgr_header *header) {
    memset((void *)header, 0, sizeof *header);
    memcpy(header->magic, LGR_MAGIC, 8);
    header->version = LGR_VERSION;
    header->word_size = sizeof(void *);
    header->endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    header->header_size = sizeof *header;
}

static void walk_records(const uint8_t *data, size_t size) {
    uint8_t *whole = malloc(sizeof(struct lgr_header) + size);
    if (!whole)
        return;
    set_header((struct lgr_header *)(void *)whole);
    if (size > 0)
        memcpy(whole + sizeof(struct lgr_header), data, size);
    walk_buffer(whole, sizeof(struct lgr_header) + size);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    walk_buffer(data, size);
    walk_records(data, size);
    return 0;
}
