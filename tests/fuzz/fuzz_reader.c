/* Feeds the reader arbitrary bytes: once as they are, once as the records
 * behind a good header, where most of its decisions are.
 *
 * With -fsanitize=fuzzer a libFuzzer target; without, a program that replays
 * the files named as arguments. */
#include <stdio.h>

#include "../unit/record_walk.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    walk_buffer(data, size);
    walk_records(data, size);
    return 0;
}

static bool replay(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return false;
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size + 1);
    bool whole = data && fread(data, 1, size, file) == size;
    if (whole)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    fclose(file);
    return whole;
}

/* Weak: libFuzzer brings its own. */
__attribute__((weak)) int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        if (!replay(arguments[i])) {
            fprintf(stderr, "%s cannot be read\n", arguments[i]);
            return 1;
        }
    }
    printf("%d files replayed\n", count - 1);
    return 0;
}
