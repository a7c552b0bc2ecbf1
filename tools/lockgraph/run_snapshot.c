#include "run_snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "inspect_words.h"
#include "snapshot.h"
#include "snapshot_stacks.h"
#include "snapshot_waits.h"

#define MOST 8

static void tell(struct snapshot *snapshot, bool color) {
    struct symbols *symbols = symbols_open(command_symbol_paths());
    struct stack *stacks = snapshot_stacks(snapshot, symbols);
    struct snapshot_waits waits = snapshot_waits(snapshot, symbols, stacks);
    struct text out = {0};
    inspect_text(&out, snapshot, stacks, &waits, color);
    fprintf(stderr, "%s\n", text_string(&out));
    text_free(&out);
    symbols_close(symbols);
}

#define SERVERS "DEBUGINFOD_URLS"

/* Signals wait while a snapshot is told, and so would the user for a server that does not
 * answer: none is asked.  The program has got its own environment by now. */
static const char *turn_servers_off(struct pool *pool) {
    const char *servers = getenv(SERVERS);
    if (servers)
        servers = pool_string(pool, servers);
    unsetenv(SERVERS);
    return servers;
}

static void turn_servers_on(const char *servers) {
    if (servers)
        setenv(SERVERS, servers, 1);
}

void tell_snapshot(pid_t pid, bool color) {
    struct pool pool = {0};
    struct snapshot snapshot = {.pool = &pool};
    const char *error = NULL, *servers = turn_servers_off(&pool);
    if (snapshot_live(&snapshot, pid, &error)) {
        tell(&snapshot, color);
        snapshot_end(&snapshot);
    } else {
        complain("its threads cannot be told: %s", error);
    }
    turn_servers_on(servers);
    pool_free(&pool);
}

void tell_snapshots(const struct model *model, pid_t child, bool color) {
    size_t running = 0;
    bool child_told = false;
    for (size_t i = model->process_count; i-- > 0;) {
        const struct model_process *process = &model->processes[i];
        if (!process->alive)
            continue;
        child_told |= process->header->pid == (uint32_t)child;
        if (running++ < MOST)
            tell_snapshot((pid_t)process->header->pid, color);
    }
    if (running > MOST)
        fprintf(stderr, "%zu more processes run.\n", running - MOST);
    if (!child_told)
        tell_snapshot(child, color);
}
