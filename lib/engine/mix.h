/* 64-bit mixing for hash tables and chain keys. */
#ifndef LOCKGRAPH_ENGINE_MIX_H
#define LOCKGRAPH_ENGINE_MIX_H

#include <stddef.h>
#include <stdint.h>

/* Full 128-bit product folded to 64 bits: two inputs in, every output bit
 * depends on every input bit; about four cycles. */
static inline uint64_t lge_mix(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* So many bytes mixed into `key`. */
static inline uint64_t lge_mix_bytes(uint64_t key, const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        key = lge_mix(key, ((const unsigned char *)bytes)[i]);
    return key;
}

#endif
