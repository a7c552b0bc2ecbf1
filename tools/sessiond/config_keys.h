/* The table of configuration keys: each thing once.  Used by config.c; no locks. */
#ifndef SD_CONFIG_KEYS_H
#define SD_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum sd_key_type { SD_KEY_NUMBER, SD_KEY_SWITCH, SD_KEY_WORD, SD_KEY_URL, SD_KEY_USER };

struct sd_key {
    const char *name;
    enum sd_key_type type;
    size_t offset, room;  /* room: of words */
    int64_t least, most;  /* of numbers; of words their length */
    const char *standard; /* as it would be written */
    const char *help;
};

extern const struct sd_key sd_keys[];
extern const size_t sd_key_count;

#endif
