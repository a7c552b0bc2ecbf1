/* sessiond-load: what fifty users and their bad habits do to a service.  Requests come at
 * a fixed rate whatever the answers do; one thread. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "clock.h"
#include "figures.h"
#include "mix.h"
#include "options.h"

enum { TICK_US = 50000, LAST_WAIT_US = 20 * 1000000, GREEDY_PERCENT = 20, MOST_WARMING_S = 600 };

static volatile sig_atomic_t ended;

static void end(int number) {
    (void)number;
    ended = 1;
}

static size_t next_user(const struct options *options) {
    unsigned users = (unsigned)options->token_count, greedy = (unsigned)options->greedy;
    if (greedy > 0 && greedy < users && mix_random(100) < GREEDY_PERCENT)
        return mix_random(greedy);
    return mix_random(users);
}

/* As many as are due by now. */
static void begin_due(struct clients *clients, const struct options *options, struct figures *figures,
                      uint64_t *begun) {
    uint64_t due = (uint64_t)((double)(sd_now_us() - figures->began_us) * options->rate / 1e6);
    while (*begun < due) {
        ++*begun;
        if (!clients_request(clients, next_user(options)))
            figures->late++;
    }
}

static void drive(struct clients *clients, const struct options *options, struct figures *figures) {
    int64_t until = figures->began_us + (int64_t)options->seconds * 1000000, next_tick = figures->began_us;
    uint64_t begun = 0, ticks = 0;
    unsigned warming_s = (unsigned)options->seconds / 3;
    if (warming_s > MOST_WARMING_S)
        warming_s = MOST_WARMING_S;
    while (!ended && sd_now_us() < until) {
        begin_due(clients, options, figures, &begun);
        clients_wait(clients, 1);
        if (sd_now_us() < next_tick)
            continue;
        next_tick += TICK_US;
        clients_tick(clients);
        if (++ticks % 20 == 0) {
            clients_outstanding(clients);
            figures_look_at_server(figures, options->pid, ticks > warming_s * 20);
        }
    }
}

/* What was begun is still answered. */
static void finish(struct clients *clients, const struct options *options, struct figures *figures) {
    int64_t until = sd_now_us() + LAST_WAIT_US, next_tick = sd_now_us();
    clients_finish(clients);
    figures->ended_us = sd_now_us();
    figures->cpu_s_after = figures_cpu_s(options->pid);
    while (clients_outstanding(clients) > 0 && sd_now_us() < until) {
        clients_wait(clients, 5);
        if (sd_now_us() >= next_tick) {
            next_tick += TICK_US;
            clients_tick(clients);
        }
    }
    figures->stuck += clients_outstanding(clients);
    figures_look_at_server(figures, options->pid, true);
}

static int write_json(const struct figures *figures, const struct options *options) {
    FILE *file = fopen(options->json, "we");
    if (file == NULL) {
        perror(options->json);
        return 1;
    }
    figures_print_json(figures, options, file);
    return fclose(file) == 0 ? 0 : 1;
}

int main(int count, char **arguments) {
    static struct options options;
    static struct figures figures;
    if (!options_read(&options, count, arguments))
        return 2;
    signal(SIGTERM, end);
    signal(SIGINT, end);
    mix_seed(options.seed);
    struct clients *clients = clients_create(&options, &figures);
    figures.cpu_s_before = figures_cpu_s(options.pid);
    figures.began_us = sd_now_us();
    drive(clients, &options, &figures);
    finish(clients, &options, &figures);
    clients_destroy(clients);
    figures_print(&figures, &options, stdout);
    return options.json == NULL ? 0 : write_json(&figures, &options);
}
