#include "run_files.h"

#include "live_header.h"

bool run_files_bear(const struct run_files *files, const struct lgr_header *header) {
    return header->run == 0 || header->run == files->key;
}

/* What has no header is damage that should be told. */
static bool is_own(const struct run_files *files, const char *path) {
    struct lgr_header header;
    return !path_list_has(&files->before, path) &&
           (!live_header(path, &header) || run_files_bear(files, &header));
}

struct path_list run_files_list(struct pool *pool, const struct run_files *files) {
    struct path_list all;
    data_dir_list(pool, files->directory, &all);
    size_t kept = 0;
    for (size_t i = 0; i < all.count; i++)
        if (is_own(files, all.paths[i]))
            all.paths[kept++] = all.paths[i];
    all.count = kept;
    return all;
}
