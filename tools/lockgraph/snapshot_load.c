#include "snapshot_load.h"

#include "evidence.h"
#include "exit_code.h"

bool snapshot_load(struct pool *pool, const char *path, const struct suppressions *suppressions,
                   struct snapshot_side *side) {
    int status = EXIT_CLEAN;
    char *operand = pool_string(pool, path);
    *side = (struct snapshot_side){0};
    if (snapshot_is_json(path))
        return snapshot_of_json(pool, path, &side->snapshot);
    struct model_options load = {.suppressions = suppressions};
    side->model = evidence_load(pool, 1, &operand, &load, &status);
    if (side->model)
        side->snapshot = snapshot_of_model(side->model);
    return side->model && status == EXIT_CLEAN;
}

void snapshot_unload(struct snapshot_side *side) {
    if (side->model)
        model_free(side->model);
    side->model = NULL;
}
