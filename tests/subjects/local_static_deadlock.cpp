/* Static variables of functions, each of which one thread initialises for all others, which
 * wait for it in __cxa_guard_acquire: two
 * need each other, one needs a lock whose holder needs it, one needs itself.
 *
 * deadlock
 * expect: deadlock actual error
 * case: two
 * threads: 2
 * thread: ASKS for second
 * thread: ASKS for first
 * says: to finish its one-time initialisation, First::First
 * case: lock
 * threads: 2
 * thread: WANTS lock
 * thread: HELD lock, ASKS for table
 * says: to finish its one-time initialisation, release setup_lock before asking
 * case: itself
 * threads: 1
 * says: to finish its one-time initialisation
 * case: again
 * threads: 2
 * thread: WANTS lock
 * thread: HELD lock, ASKS for table
 */
#include <cstring>
#include <mutex>
#include <thread>

#include "turns.h"

static std::mutex setup_lock;
static const char *what;

static bool is(const char *word) { return std::strcmp(what, word) == 0; }

struct First {
    First();
    int value;
};
struct Second {
    Second();
    int value;
};
struct Table {
    Table();
    int value;
};

static First &first() {
    static First variable; /* ASKS for first */
    return variable;
}

static Second &second() {
    static Second variable; /* ASKS for second */
    return variable;
}

static Table &table() {
    static Table variable; /* ASKS for table */
    return variable;
}

/* Each waits until the other one is in the midst of it, too. */
First::First() : value(1) {
    if (is("itself")) {
        value = first().value;
        return;
    }
    next_turn();
    await_turn(2);
    value += second().value;
}

Second::Second() : value(2) {
    next_turn();
    await_turn(2);
    value += first().value;
}

/* Left by an exception the first time, in case `again`. */
Table::Table() : value(3) {
    static int times;
    if (is("again") && times++ == 0)
        throw times;
    next_turn(); /* 1: it is in the midst of it */
    await_turn(2);
    setup_lock.lock(); /* WANTS lock */
    setup_lock.unlock();
}

static void use_table() {
    try {
        table();
    } catch (int) {
        table();
    }
}

static void use_table_under_lock() {
    await_turn(1);
    setup_lock.lock(); /* HELD lock */
    next_turn();
    table();
    setup_lock.unlock();
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : "";
    setup_lock.lock(); /* that something is seen */
    setup_lock.unlock();
    if (is("two")) {
        std::thread one([] { first(); }), other([] { second(); });
        one.join();
        other.join();
    } else if (is("itself")) {
        std::thread([] { first(); }).join();
    } else {
        std::thread one(use_table), other(use_table_under_lock);
        one.join();
        other.join();
    }
    return 0;
}
