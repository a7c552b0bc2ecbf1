/* The drop-in locks through the guards of the C++ library, with levels.

   case: right
   silent
   case: reversed
   expect: level-violation none error
   call: TAKE registry
   earlier: HOLD routes
   lock: registry
   says: registry (level 10), routes (level 20)
   case: refused
   options: -O on_violation=refuse
   expect: level-violation none error
   call: TAKE registry
   earlier: HOLD routes
   case: descending
   expect: level-violation none error
   call: NEST the other
   earlier: HOLD a session
   case: abba
   expect: order-cycle feasible error
   edge: HOLD left -> WANT right
   edge: HOLD right -> WANT left
 */
#include <atomic>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include <lockgraph/lockgraph.hpp>

enum { LEVEL_REGISTRY = 10, LEVEL_ROUTES = 20, LEVEL_SESSION = 30 };

static lockgraph::mutex registry{"registry", LEVEL_REGISTRY};
static lockgraph::shared_mutex routes{"routes", LEVEL_ROUTES};
static lockgraph::mutex sessions[2] = {{"session", LEVEL_SESSION, 1}, {"session", LEVEL_SESSION, 2}};
static lockgraph::mutex left_lock{"left"}, right_lock{"right"};

static void right() {
    std::lock_guard<lockgraph::mutex> one(registry);
    std::shared_lock<lockgraph::shared_mutex> other(routes);
    std::scoped_lock both(sessions[0], sessions[1]);
}

/* Refused is EDEADLK, with the lock not taken. */
static bool take_registry() {
    try {
        registry.lock(); /* TAKE registry */
    } catch (const std::system_error &error) {
        return error.code() == std::errc::resource_deadlock_would_occur;
    }
    registry.unlock();
    return false;
}

static bool reversed() {
    routes.lock_shared(); /* HOLD routes */
    bool refused = take_registry();
    routes.unlock_shared();
    return refused;
}

static void descending() {
    sessions[1].lock(); /* HOLD a session */
    sessions[0].lock(); /* NEST the other */
    sessions[0].unlock();
    sessions[1].unlock();
}

static void both(bool swapped) {
    if (swapped) {
        right_lock.lock(); /* HOLD right */
        left_lock.lock();  /* WANT left */
    } else {
        left_lock.lock();  /* HOLD left */
        right_lock.lock(); /* WANT right */
    }
    left_lock.unlock();
    right_lock.unlock();
}

static void abba() {
    std::atomic<bool> done{false};
    std::thread one([&] { both(false), done = true; });
    std::thread other([&] {
        while (!done)
            continue;
        both(true);
    });
    one.join();
    other.join();
}

int main(int count, char **arguments) {
    const char *name = count > 1 ? arguments[1] : "";
    if (std::strcmp(name, "right") == 0)
        right();
    if (std::strcmp(name, "descending") == 0)
        descending();
    if (std::strcmp(name, "abba") == 0)
        abba();
    bool refused = std::strcmp(name, "refused") == 0;
    if (refused || std::strcmp(name, "reversed") == 0)
        return reversed() == refused ? 0 : 1;
    return 0;
}
