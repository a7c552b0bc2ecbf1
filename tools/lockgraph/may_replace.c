#include "may_replace.h"

#include <sys/stat.h>

bool may_replace(const char *path) {
    struct stat there;
    return lstat(path, &there) != 0 || S_ISREG(there.st_mode);
}
