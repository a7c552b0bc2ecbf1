#include "record/handed_over.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/system.h"

/* Everything before the last slash. */
static bool split(const char *option, char path[LGR_HANDED_TEXT], uint64_t *key) {
    size_t length = strnlen(option, LGR_HANDED_TEXT), cut = length;
    while (cut > 0 && option[cut] != '/')
        cut--;
    if (length == LGR_HANDED_TEXT || cut == 0)
        return false;
    memcpy(path, option, cut);
    path[cut] = '\0';
    *key = 0;
    for (const char *at = option + cut + 1; *at != '\0'; at++) {
        if ((*at < '0' || *at > '9') && (*at < 'a' || *at > 'f'))
            return false;
        *key = *key << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    }
    return true;
}

uint64_t lgr_handed_key(const char *option) {
    char path[LGR_HANDED_TEXT];
    uint64_t key;
    return *option == '/' && split(option, path, &key) ? key : 0;
}

long lgr_handed_open(const char *option, int access, long seals, uint64_t *key) {
    char path[LGR_HANDED_TEXT];
    if (*option != '/' || !split(option, path, key))
        return -1;
    long descriptor =
        lgp_syscall(SYS_openat, AT_FDCWD, (long)path, access | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0, 0, 0);
    if (descriptor < 0 || lgp_syscall(SYS_fcntl, descriptor, F_GET_SEALS, 0, 0, 0, 0) == seals)
        return descriptor;
    lgp_close(descriptor);
    return -1;
}

void *lgr_handed_map(long descriptor, uint64_t size, int protection) {
    long memory = lgp_syscall(SYS_mmap, 0, (long)size, protection, MAP_SHARED, descriptor, 0);
    return lgp_is_error(memory) ? NULL : (void *)memory;
}
