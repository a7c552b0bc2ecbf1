/*
 * memload PORT REQUESTS: load for a memcached on the loopback interface. Answers every input line with one
 * burst of REQUESTS requests (nine gets to one set) over 16 connections, eight requests in flight on each,
 * and prints the nanoseconds it took, and the hits. The same requests in the same order on every run.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 16, IN_FLIGHT = 8, KEYS = 20000, VALUE_BYTES = 100, BUFFER = 65536 };

struct connection {
    int fd;
    unsigned gets; /* how many of the requests in flight are gets */
};

static struct connection connections[CONNECTIONS];
static char value[VALUE_BYTES + 1];
static uint64_t state = 88172645463325252u;
static uint64_t hits;

static void fail(const char *what) {
    perror(what);
    exit(3);
}

static uint64_t now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned pseudo_random(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33);
}

static int connect_to(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static size_t put_set(char *at, unsigned key) {
    return (size_t)sprintf(at, "set key:%08u 0 0 %d\r\n%s\r\n", key, VALUE_BYTES, value);
}

static void send_requests(struct connection *c, int filling, unsigned first_key) {
    char buffer[BUFFER];
    size_t used = 0;

    c->gets = 0;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        unsigned key = filling ? first_key + i : pseudo_random() % KEYS;
        if (filling || pseudo_random() % 10 == 0) {
            used += put_set(buffer + used, key);
        } else {
            used += (size_t)sprintf(buffer + used, "get key:%08u\r\n", key);
            c->gets++;
        }
    }
    if (write(c->fd, buffer, used) != (ssize_t)used)
        fail("write");
}

/* A set is answered by STORED, a get by an optional value and END; only whole answers count. */
static unsigned count_lines(const char *text, const char *line) {
    unsigned count = 0;

    for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line))
        count++;
    return count;
}

static void receive_answers(struct connection *c) {
    char buffer[BUFFER];
    size_t used = 0;

    for (;;) {
        ssize_t got = read(c->fd, buffer + used, sizeof buffer - 1 - used);
        if (got <= 0)
            fail("read");
        used += (size_t)got;
        buffer[used] = '\0';
        if (count_lines(buffer, "END\r\n") + count_lines(buffer, "STORED\r\n") == IN_FLIGHT)
            break;
    }
    hits += count_lines(buffer, "VALUE ");
}

static void exchange(int filling, unsigned first_key) {
    for (unsigned i = 0; i < CONNECTIONS; i++)
        send_requests(&connections[i], filling, first_key + i * IN_FLIGHT);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        receive_answers(&connections[i]);
}

static void burst(unsigned long requests) {
    uint64_t start = now();

    hits = 0;
    for (unsigned long done = 0; done < requests; done += CONNECTIONS * IN_FLIGHT)
        exchange(0, 0);
    printf("%llu %llu\n", (unsigned long long)(now() - start), (unsigned long long)hits);
    fflush(stdout);
}

int main(int argc, char **argv) {
    char line[16];

    if (argc != 3)
        return fputs("usage: memload PORT REQUESTS\n", stderr), 2;
    memset(value, 'v', VALUE_BYTES);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        connections[i].fd = connect_to((uint16_t)atoi(argv[1]));
    for (unsigned key = 0; key < KEYS; key += CONNECTIONS * IN_FLIGHT)
        exchange(1, key);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL)
        burst(strtoul(argv[2], NULL, 10));
    return 0;
}
