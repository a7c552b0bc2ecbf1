/* What every fuzz program shares: with -fsanitize=fuzzer it is a libFuzzer
 * target; without, a program that replays the files named as arguments. */
#ifndef LOCKGRAPH_FUZZ_REPLAY_H
#define LOCKGRAPH_FUZZ_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#endif
