#include <string.h>

#include "suppress.h"

/* Upon a mismatch only the newest '*' takes one more character: earlier ones
 * could gain nothing that it cannot. */
bool pattern_matches(const char *pattern, const char *text) {
    const char *star = NULL, *resume = NULL;
    if (!text)
        return false;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

bool pattern_matches_path(const char *pattern, const char *path) {
    if (pattern_matches(pattern, path))
        return true;
    for (const char *slash = path ? strchr(path, '/') : NULL; slash; slash = strchr(slash + 1, '/'))
        if (pattern_matches(pattern, slash + 1))
            return true;
    return false;
}
