#include "figures.h"

#include <string.h>
#include <unistd.h>

double figures_cpu_s(int pid) {
    char path[64], text[1024];
    unsigned long long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = pid == 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return 0;
    const char *line = fgets(text, sizeof text, file);
    fclose(file);
    const char *after = line == NULL ? NULL : strrchr(line, ')'); /* the name may have blanks */
    if (after == NULL ||
        sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &kernel) != 2)
        return 0;
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

void figures_look_at_server(struct figures *figures, int pid, bool warm) {
    char path[64];
    long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = pid == 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%*d %lld", &pages) == 1) {
        figures->rss_last = pages * sysconf(_SC_PAGESIZE);
        if (figures->rss_last > figures->rss_most)
            figures->rss_most = figures->rss_last;
        if (!warm || figures->rss_first == 0)
            figures->rss_first = figures->rss_last;
    }
    fclose(file);
}

static double seconds(const struct figures *figures) {
    return (double)(figures->ended_us - figures->began_us) / 1e6;
}

static double rate(const struct figures *figures) { return (double)figures->answered / seconds(figures); }

static double ms(const struct figures *figures, int percent) {
    return (double)sd_histogram_quantile(&figures->times, percent) / 1e3;
}

static double cpu_us(const struct figures *figures) {
    if (figures->answered == 0)
        return 0;
    return (figures->cpu_s_after - figures->cpu_s_before) * 1e6 / (double)figures->answered;
}

static double mib(int64_t bytes) { return (double)bytes / (1 << 20); }

void figures_print(const struct figures *figures, const struct options *options, FILE *out) {
    fprintf(out,
            "%.0f requests a second for %.0f s from %zu users: %llu answered, p50 %.1f ms, p95 %.1f ms, p99 "
            "%.1f ms\n",
            rate(figures), seconds(figures), options->token_count, (unsigned long long)figures->answered,
            ms(figures, 50), ms(figures, 95), ms(figures, 99));
    fputs("statuses:", out);
    for (int status = 0; status < 600; status++)
        if (figures->statuses[status] > 0)
            fprintf(out, "  %d: %llu", status, (unsigned long long)figures->statuses[status]);
    fprintf(out,
            "\nclients: %llu cut off in the middle, %llu slow answers, %llu subscribers left without a word, "
            "%llu events read\n",
            (unsigned long long)figures->killed, (unsigned long long)figures->slow_answered,
            (unsigned long long)figures->abandoned, (unsigned long long)figures->events);
    fprintf(out, "errors: %llu connections broke, %llu requests stuck, %llu begun late\n",
            (unsigned long long)figures->errors, (unsigned long long)figures->stuck,
            (unsigned long long)figures->late);
    if (options->pid != 0)
        fprintf(out, "server: %.0f us of CPU a request, %.1f MiB resident (%.1f when warm, %.1f at most)\n",
                cpu_us(figures), mib(figures->rss_last), mib(figures->rss_first), mib(figures->rss_most));
}

void figures_print_json(const struct figures *figures, const struct options *options, FILE *out) {
    const char *comma = "";
    fprintf(out, "{\"seconds\":%.3f,\"users\":%zu,\"sent\":%llu,\"answered\":%llu,\"rate\":%.1f,",
            seconds(figures), options->token_count, (unsigned long long)figures->sent,
            (unsigned long long)figures->answered, rate(figures));
    fprintf(out, "\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"most_ms\":%.3f,\"statuses\":{",
            ms(figures, 50), ms(figures, 95), ms(figures, 99), (double)figures->times.most_us / 1e3);
    for (int status = 0; status < 600; status++)
        if (figures->statuses[status] > 0) {
            fprintf(out, "%s\"%d\":%llu", comma, status, (unsigned long long)figures->statuses[status]);
            comma = ",";
        }
    fprintf(out, "},\"killed\":%llu,\"slow_answered\":%llu,\"abandoned\":%llu,\"subscribed\":%llu,",
            (unsigned long long)figures->killed, (unsigned long long)figures->slow_answered,
            (unsigned long long)figures->abandoned, (unsigned long long)figures->subscribed);
    fprintf(out, "\"refused_subscribers\":%llu,\"events\":%llu,\"errors\":%llu,\"stuck\":%llu,\"late\":%llu,",
            (unsigned long long)figures->refused_subscribers, (unsigned long long)figures->events,
            (unsigned long long)figures->errors, (unsigned long long)figures->stuck,
            (unsigned long long)figures->late);
    fprintf(out, "\"cpu_us_per_request\":%.2f,\"rss_warm\":%lld,\"rss_last\":%lld,\"rss_most\":%lld}\n",
            cpu_us(figures), (long long)figures->rss_first, (long long)figures->rss_last,
            (long long)figures->rss_most);
}
