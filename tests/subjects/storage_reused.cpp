/* The same two places hold ever new mutexes, taken in opposite orders by live
 * threads.  std::mutex calls neither init nor destroy: only the storage tells.
 *
 * arguments: placement | heap
 * silent
 */
#include <cstring>
#include <mutex>
#include <new>
#include <thread>

#include "turns.h"

struct Node {
    std::mutex mutex;
    char payload[200];
};

enum { ROUNDS = 200 };
alignas(Node) static unsigned char storage[2][sizeof(Node)];
static bool on_heap;

static Node *make(int place) { return on_heap ? new Node : new (storage[place]) Node; }
static void dispose(Node *node) {
    if (on_heap)
        delete node;
    else
        node->~Node();
}

/* Creates both nodes, takes them low address first or last, and ends them. */
static void round_trip(bool low_first) {
    Node *one = make(0), *two = make(1);
    bool swap = (one < two) != low_first;
    Node *outer = swap ? two : one, *inner = swap ? one : two;
    outer->mutex.lock();
    inner->mutex.lock();
    inner->mutex.unlock();
    outer->mutex.unlock();
    dispose(two);
    dispose(one);
}

static void run(int parity) {
    for (int i = 0; i < ROUNDS; i++) {
        await_turn(2 * i + parity);
        round_trip(parity == 0);
        next_turn();
    }
    await_turn(2 * ROUNDS);
}

int main(int argc, char **argv) {
    on_heap = argc > 1 && std::strcmp(argv[1], "heap") == 0;
    std::thread one(run, 0), two(run, 1);
    one.join();
    two.join();
    return 0;
}
