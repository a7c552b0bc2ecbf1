/* std::scoped_lock takes both mutexes in either order and backs off.
 *
 * silent
 */
#include <mutex>
#include <thread>

static std::mutex a, b;
static long total;

static void both_ways(std::mutex &first, std::mutex &second) {
    for (int i = 0; i < 20000; i++) {
        std::scoped_lock both(first, second);
        total++;
    }
}

int main() {
    std::thread one([] { both_ways(a, b); }), two([] { both_ways(b, a); });
    one.join();
    two.join();
    return total == 40000 ? 0 : 1;
}
