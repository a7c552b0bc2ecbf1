#include "summary_load.h"

#include "evidence.h"
#include "exit_code.h"
#include "symbols.h"

bool summary_load(struct pool *pool, const char *path, const struct suppressions *suppressions,
                  struct summary_side *side) {
    int status = EXIT_CLEAN;
    char *operand = pool_string(pool, path);
    *side = (struct summary_side){0};
    if (summary_is_json(path))
        return summary_of_json(pool, path, &side->summary);
    struct model_options load = {.suppressions = suppressions};
    side->model = evidence_load(pool, 1, &operand, &load, &status);
    if (side->model)
        side->summary = summary_of_model(side->model);
    return side->model && status == EXIT_CLEAN;
}

void summary_unload(struct summary_side *side) {
    if (side->model)
        model_free(side->model);
    side->model = NULL;
}

void summary_add_problems(struct text *out, const struct model *model, const char *path) {
    const char *problem;
    struct pool pool = {0};
    const char *whose = path ? pool_printf(&pool, " of %s", text_clean(&pool, path)) : "";
    for (size_t i = 0; model && (problem = symbols_problem(model->symbols, i)); i++)
        text_printf(out, "Symbols%s: %s.\n", whose, problem);
    pool_free(&pool);
}
