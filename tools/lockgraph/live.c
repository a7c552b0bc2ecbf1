#include "live.h"

#include <string.h>

#include "command.h"
#include "inputs.h"
#include "process_evidence.h"

/* It may become another program, with another file; and ends in the one it had. */
static bool file_of_process(struct pool *pool, struct live *live) {
    const char *error = NULL, *path = process_evidence(pool, live->pid, &error);
    if (path && (!live->last || strcmp(path, live->last) != 0))
        live->last = pool_string(&live->pool, path);
    if (!live->last)
        complain("%s", error);
    return live->last != NULL;
}

bool live_files(struct pool *pool, struct live *live, struct path_list *files) {
    if (!live->pid)
        return inputs_gather(pool, live->count, live->operands, files);
    *files = (struct path_list){1, &live->last};
    return file_of_process(pool, live);
}

struct model *live_look(struct live *live, struct model_options options) {
    struct pool pool = {0};
    struct path_list files = {0};
    struct model *model = NULL;
    if (!live->symbols)
        live->symbols = symbols_open(command_symbol_paths());
    options.symbols = live->symbols;
    if (live_files(&pool, live, &files))
        model = model_load(files.paths, files.count, &options);
    pool_free(&pool);
    return model;
}

void live_complain(const struct model *model) {
    for (size_t i = 0; i < model->unreadable; i++)
        complain("%s", model->unreadable_why[i]);
}

void live_end(struct live *live) {
    if (live->symbols)
        symbols_close(live->symbols);
    live->symbols = NULL;
    pool_free(&live->pool);
}
