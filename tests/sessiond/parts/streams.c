/* Names that take for ever to be looked up. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "clock.h"
#include "parts.h"
#include "stream.h"

enum { MOST_LATE = 8, SOON_MS = 100, AT_ONCE_MS = 5000 };

static _Atomic bool let_go;
static _Atomic int under_way;

/* The resolver, in place of the C library's: "slow.test" is not answered until it is let go. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *wanted,
                struct addrinfo **found) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)(void *)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(host, "slow.test") != 0)
        return real(host, service, wanted, found);
    if ((wanted->ai_flags & AI_NUMERICHOST) != 0)
        return EAI_NONAME;
    atomic_fetch_add(&under_way, 1);
    while (!atomic_load(&let_go))
        part_pause(5);
    atomic_fetch_sub(&under_way, 1);
    return EAI_AGAIN;
}

static int connect_to(const char *host, int port, int32_t ms, struct sd_cancel *cancel,
                      struct sd_error *error) {
    *error = (struct sd_error){0};
    return sd_stream_connect(host, port, sd_now_ms() + ms, cancel, error);
}

static void a_slow_name_has_a_limit(void) {
    struct sd_error error;
    int64_t began_ms = sd_now_ms();
    for (int i = 0; i < MOST_LATE; i++) {
        CHECK(connect_to("slow.test", 80, SOON_MS, NULL, &error) < 0);
        CHECK_ERROR(&error, 504, "time_limit");
    }
    CHECK(sd_now_ms() - began_ms < AT_ONCE_MS);
    WAIT_FOR(atomic_load(&under_way) == MOST_LATE);
    CHECK(connect_to("slow.test", 80, 60000, NULL, &error) < 0); /* so many, and no more */
    CHECK_ERROR(&error, 503, "unreachable");
    CHECK(sd_now_ms() - began_ms < AT_ONCE_MS && atomic_load(&under_way) == MOST_LATE);
    atomic_store(&let_go, true);
    WAIT_FOR(atomic_load(&under_way) == 0);
    part_pause(100); /* their threads end */
    CHECK(connect_to("slow.test", 80, 60000, NULL, &error) < 0);
    CHECK_ERROR(&error, 503, "unreachable");
    CHECK(strstr(error.text, "slow.test") != NULL && part_findings() == 0);
}

static void a_slow_name_is_given_up_when_cancelled(void) {
    struct sd_error error;
    struct sd_cancel cancel;
    int64_t began_ms = sd_now_ms();
    atomic_store(&let_go, false);
    CHECK(sd_cancel_init(&cancel, 0, &error));
    sd_cancel_ask(&cancel, SD_CANCEL_ASKED);
    CHECK(connect_to("slow.test", 80, 60000, &cancel, &error) < 0);
    CHECK_ERROR(&error, 503, "cancelled");
    CHECK(sd_now_ms() - began_ms < AT_ONCE_MS);
    sd_cancel_destroy(&cancel);
    atomic_store(&let_go, true);
}

static void names_and_addresses_are_found(void) {
    struct sd_error error;
    int port = 0, listener = sd_stream_listen("127.0.0.1", &port, &error);
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        int fd = connect_to(hosts[i], port, 10000, NULL, &error);
        CHECK(fd >= 0);
        close(fd);
    }
    CHECK(connect_to("no-such-host.invalid", port, 60000, NULL, &error) < 0);
    CHECK_ERROR(&error, 503, "unreachable");
    close(listener);
}

static const struct part parts[] = {{"a slow name has a limit", a_slow_name_has_a_limit},
                                    {"a slow name and cancelling", a_slow_name_is_given_up_when_cancelled},
                                    {"names and addresses", names_and_addresses_are_found}};
const struct part_group parts_streams = {parts, sizeof parts / sizeof parts[0]};
