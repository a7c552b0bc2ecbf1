/* std::mutex members of heap objects: no initialisation call, no static name.
 *
 * expect: order-cycle feasible error
 * line: HELD from
 * line: WANTED to
 */
#include <memory>
#include <mutex>
#include <thread>

#include "turns.h"

struct Account {
    std::mutex mutex;
    long balance = 100;
};

static void transfer(Account &from, Account &to, long amount) {
    std::lock_guard<std::mutex> outer(from.mutex); /* HELD from */
    std::lock_guard<std::mutex> inner(to.mutex);   /* WANTED to */
    from.balance -= amount;
    to.balance += amount;
}

int main() {
    auto left = std::make_unique<Account>(), right = std::make_unique<Account>();
    std::thread first([&] {
        transfer(*left, *right, 1);
        next_turn();
        await_turn(2);
    });
    std::thread second([&] {
        await_turn(1);
        transfer(*right, *left, 2);
        next_turn();
    });
    first.join();
    second.join();
    return left->balance + right->balance == 200 ? 0 : 1;
}
