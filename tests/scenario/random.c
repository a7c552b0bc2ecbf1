/* Random numbers (xorshift) that are the same everywhere. */
#include "scenario.h"

#define DEFAULT_SEED 0x10cc9ab5u

static uint64_t state;

uint64_t random_seed(uint64_t seed, size_t i) {
    return seed ? seed : (DEFAULT_SEED + i) * 0x9e3779b97f4a7c15u;
}

void random_start(uint64_t seed) { state = seed; }

unsigned random_below(unsigned limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 20) % limit);
}
