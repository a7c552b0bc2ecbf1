#include "process_alive.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mapped_file.h"

#define SECOND 1000000000u

/* proc(5): field 3 of the line is the state, 22 the start in clock ticks since
 * boot; the name, which may hold anything, ends at the last parenthesis. */
static bool read_stat(uint32_t pid, char *state, uint64_t *start_ticks) {
    char path[32], line[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *stream = fopen(path, "re");
    if (!stream)
        return false;
    size_t length = fread(line, 1, sizeof line - 1, stream);
    fclose(stream);
    line[length] = 0;
    const char *rest = strrchr(line, ')');
    unsigned long start = 0;
    bool read =
        rest &&
        sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu",
               state, &start) == 2;
    *start_ticks = start;
    return read;
}

bool process_alive(uint32_t pid, uint64_t recording_since_realtime_ns, const char *path) {
    char state;
    uint64_t ticks, per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    if (pid == 0 || !read_stat(pid, &state, &ticks) || state == 'Z' || state == 'X')
        return false;
    uint64_t since_boot = ticks / per_second * SECOND + ticks % per_second * (SECOND / per_second);
    uint64_t booted = clock_now_ns(CLOCK_REALTIME) - clock_now_ns(CLOCK_BOOTTIME);
    /* The clock may have been set meanwhile, by a little. */
    if (booted + since_boot >= recording_since_realtime_ns + 60u * (uint64_t)SECOND)
        return false;
    return !path || file_mapping((pid_t)pid, path) != FILE_NOT_MAPPED;
}
