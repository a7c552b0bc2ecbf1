/* std::shared_lock in both orders, and heap locks where others were before.
 *
 * silent
 */
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "turns.h"

static std::shared_mutex a, b;

static void read_both(std::shared_mutex &outer, std::shared_mutex &inner) {
    std::shared_lock<std::shared_mutex> first(outer), second(inner);
}

/* Each pair lives and dies at the same addresses, in the other order. */
static void in_reused_memory(bool swapped) {
    struct pair {
        std::shared_mutex one, other;
    };
    alignas(pair) static unsigned char storage[sizeof(pair)];
    pair *locks = new (storage) pair;
    std::unique_lock<std::shared_mutex> outer(swapped ? locks->other : locks->one);
    std::unique_lock<std::shared_mutex> inner(swapped ? locks->one : locks->other);
    inner.unlock();
    outer.unlock();
    locks->~pair();
}

int main() {
    std::thread first([] {
        read_both(a, b);
        in_reused_memory(false);
        next_turn();
        await_turn(2);
    });
    std::thread second([] {
        await_turn(1);
        read_both(b, a);
        in_reused_memory(true);
        next_turn();
    });
    first.join();
    second.join();
    return 0;
}
