#include "inputs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"

/* A directory stands for the evidence files in it. */
static bool add_input(struct pool *pool, struct path_list *inputs, const char *path) {
    struct stat status;
    struct path_list found = {1, &path};
    if (stat(path, &status) != 0) {
        complain("%s: %s; run a program first: lockgraph run -- CMD", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode) && (!data_dir_list(pool, path, &found) || found.count == 0)) {
        complain("%s holds no evidence: no process recorded anything there", path);
        return false;
    }
    const char **paths = pool_array(pool, inputs->count + found.count, sizeof *paths);
    if (inputs->count)
        memcpy(paths, inputs->paths, inputs->count * sizeof *paths);
    memcpy(paths + inputs->count, found.paths, found.count * sizeof *paths);
    *inputs = (struct path_list){inputs->count + found.count, paths};
    return true;
}

bool inputs_gather(struct pool *pool, int count, char **arguments, struct path_list *inputs) {
    bool all = true;
    for (int i = 0; i < count; i++)
        all &= add_input(pool, inputs, arguments[i]);
    return count ? all : add_input(pool, inputs, DEFAULT_DATA_DIR);
}
