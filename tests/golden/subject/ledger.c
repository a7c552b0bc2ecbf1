/* The program whose evidence the golden tests make up: it calls lock() where a
 * real one would take a lock, and lock() remembers from where. */
#include <execinfo.h>

struct mutex {
    long words[5];
};
struct account {
    long id;
    struct mutex lock;
};
struct mutex ledger_lock, audit_lock;
struct account table[8];

enum place { POST_LEDGER, POST_AUDIT, FLUSH_AUDIT, FLUSH_LEDGER, QUEUE_INIT, MOVE_FROM, MOVE_TO, JOIN, PLACES };
struct place_taken {
    void *frames[8];
    int count;
} places[PLACES];
/* Frames from the lock call down to ledger_main. */
static const int depth[PLACES] = {
    [POST_LEDGER] = 3,  [POST_AUDIT] = 3, [FLUSH_AUDIT] = 3, [FLUSH_LEDGER] = 3,
    [QUEUE_INIT] = 2,   [MOVE_FROM] = 3,  [MOVE_TO] = 3,     [JOIN] = 1,
};

__attribute__((noinline)) static void lock(enum place place) {
    void *frames[12];
    int count = backtrace(frames, 12), first = 0;
    while (first < count && frames[first] != __builtin_return_address(0))
        first++; /* this function, and under a sanitizer its own */
    places[place].count = count - first < depth[place] ? count - first : depth[place];
    for (int i = 0; i < places[place].count; i++)
        places[place].frames[i] = frames[first + i];
}

__attribute__((noinline)) static void post(void) {
    lock(POST_LEDGER);
    lock(POST_AUDIT);
    __asm__ volatile("");
}

__attribute__((noinline)) static void flush(void) {
    lock(FLUSH_AUDIT);
    lock(FLUSH_LEDGER);
    __asm__ volatile("");
}

static inline __attribute__((always_inline)) void guard(enum place place) {
    lock(place);
    __asm__ volatile("");
}

__attribute__((noinline)) static void move_money(void) {
    guard(MOVE_FROM);
    guard(MOVE_TO);
}

__attribute__((noinline)) static void queue_init(void) {
    lock(QUEUE_INIT);
    __asm__ volatile("");
}

__attribute__((noinline)) static void worker(void) {
    post();
    flush();
    move_money();
    __asm__ volatile("");
}

__attribute__((noinline)) static void ledger_main(void) {
    queue_init();
    worker();
    lock(JOIN);
    __asm__ volatile("");
}
