#include "timed.h"

#include <errno.h>
#include <string.h>

#include "log.h"

enum { SOON_MS = 50 };

/* Set before the first thread. */
static int32_t limit = 30000;
static bool adaptive;

void sd_timed_set(int32_t limit_ms, bool by_lockgraph) {
    limit = limit_ms;
    adaptive = by_lockgraph;
#ifndef LOCKGRAPH_DISABLE
    lg_default_timeout(limit_ms);
#else
    adaptive = false; /* nobody would measure */
#endif
}

int32_t sd_timed_limit_ms(void) { return limit; }
int32_t sd_timed_soon_ms(void) { return limit < SOON_MS ? limit : SOON_MS; }
bool sd_timed_adaptive(void) { return adaptive; }

/* With Lockgraph all but what goes wrong is logged there, with names and holders. */
static void tell(enum sd_log_level level, const char *what, const char *name) {
#ifndef LOCKGRAPH_DISABLE
    if (level == SD_LOG_DEBUG)
        return;
#endif
    sd_log(level, "%s %s", what, name);
}

void sd_timed_before(const char *name) { tell(SD_LOG_DEBUG, "acquiring", name); }

bool sd_timed_taken(int result, const char *name, struct sd_error *error) {
    if (result == 0) {
        tell(SD_LOG_DEBUG, "acquired", name);
        return true;
    }
    if (result == ETIMEDOUT) {
        tell(SD_LOG_WARNING, "timed out acquiring", name);
        return sd_fail_busy(error, "lock_timeout", 1, "%s was not to be had in time; try again", name);
    }
    return sd_fail(error, 500, "lock_refused", "%s: %s", name, strerror(result));
}

void sd_timed_given(int result, const char *name) {
    tell(result == 0 ? SD_LOG_DEBUG : SD_LOG_WARNING, result == 0 ? "released" : "released while not held",
         name);
}
