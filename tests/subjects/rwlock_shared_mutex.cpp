/* std::shared_mutex and std::shared_timed_mutex, which call neither init nor
 * destroy where they are static.
 *
 * arguments: shared | timed
 * expect: order-cycle feasible error
 * edges: 2
 * edge: WRITES a -> READS b
 * edge: WRITES b -> READS a
 */
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "turns.h"

template <class Mutex> static void run(Mutex &a, Mutex &b) {
    std::thread first([&] {
        {
            std::unique_lock<Mutex> outer(a); /* WRITES a */
            std::shared_lock<Mutex> inner(b); /* READS b */
        }
        next_turn();
        await_turn(2);
    });
    std::thread second([&] {
        await_turn(1);
        {
            std::unique_lock<Mutex> outer(b); /* WRITES b */
            std::shared_lock<Mutex> inner(a); /* READS a */
        }
        next_turn();
    });
    first.join();
    second.join();
}

static std::shared_mutex one, other;

int main(int argc, char **argv) {
    if (argc > 1 && std::string(argv[1]) == "timed") {
        auto a = std::make_unique<std::shared_timed_mutex>(), b = std::make_unique<std::shared_timed_mutex>();
        run(*a, *b);
    } else {
        run(one, other);
    }
    return 0;
}
