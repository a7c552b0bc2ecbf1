#include "parts.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "lock_order.h"
#include "log.h"
#include "schema.h"
#include "sql.h"
#include "timed.h"

static const struct part_group *const groups[] = {&parts_locks,   &parts_pool,    &parts_tasks,
                                                  &parts_queue,   &parts_workers, &parts_sessions,
                                                  &parts_streams, &parts_alerts};
static _Atomic bool failed;
static _Atomic int findings;
static struct sd_config config;

bool part_check(bool well, const char *file, int line, const char *what) {
    if (!well) {
        printf("    %s:%d: not so: %s\n", file, line, what);
        atomic_store(&failed, true);
    }
    return well;
}

bool part_check_error(const struct sd_error *error, int status, const char *code, const char *file,
                      int line) {
    bool well = error->status == status && strcmp(error->code, code) == 0;
    if (!well)
        printf("    %s:%d: error %d %s: %s\n", file, line, error->status, error->code, error->text);
    return part_check(well, file, line, code);
}

void part_pause(int ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

const struct sd_config *part_config(void) { return &config; }
int part_findings(void) { return atomic_load(&findings); }

static void found(const struct lg_finding *finding, void *user) {
    (void)user, (void)finding;
    atomic_fetch_add(&findings, 1);
}

struct sd_pool *part_pool(int size, int overflow, int wait_ms) {
    struct sd_error error;
    struct sd_pool_settings settings;
    sd_pool_settings_main(&settings, &config);
    settings.size = size;
    settings.overflow = overflow;
    settings.wait_ms = wait_ms;
    struct sd_pool *pool = sd_pool_create(&settings, config.data_dir, &error);
    sqlite3 *handle = pool == NULL ? NULL : sd_pool_take(pool, "test", NULL, &error);
    if (handle == NULL || !sd_schema_prepare(handle, &error) || !sd_schema_seed(handle, &config, &error)) {
        printf("no database: %s\n", error.text);
        exit(1);
    }
    sd_pool_give(pool, handle);
    return pool;
}

static bool run(const struct part *part) {
    snprintf(config.data_dir, sizeof config.data_dir, "parts.%d.%s", (int)getpid(), part->name);
    for (char *at = config.data_dir; *at != 0; at++)
        if (*at == ' ')
            *at = '-';
    mkdir(config.data_dir, 0700);
    atomic_store(&failed, false);
    atomic_store(&findings, 0);
    part->run();
    printf("%s %s\n", atomic_load(&failed) ? "FAIL" : "ok  ", part->name);
    fflush(stdout);
    return !atomic_load(&failed);
}

int main(int count, char **arguments) {
    const char *word = count > 1 ? arguments[1] : "";
    char *none[] = {arguments[0], NULL};
    int passed = 0, not_passed = 0;
    if (!sd_config_load(&config, 1, none, stderr) || !sd_log_open("parts.log", SD_LOG_INFO, NULL) ||
        !sd_sql_set_up(NULL))
        return 1;
    sd_lock_order_declare();
    sd_timed_set(config.lock_timeout_ms, false);
    lg_on_finding(found, NULL);
    if (strcmp(word, "--work") == 0)
        return part_work();
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        for (size_t j = 0; j < groups[i]->count; j++)
            if (strstr(groups[i]->parts[j].name, word) != NULL)
                ++*(run(&groups[i]->parts[j]) ? &passed : &not_passed);
    printf("%d passed, %d failed\n", passed, not_passed);
    return not_passed == 0 && passed > 0 ? 0 : 1;
}
