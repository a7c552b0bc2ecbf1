/* A once routine is left by an exception most of the time, and threads try again at
 * once: whoever left it is not the one that runs it then.
 *
 * silent
 * seconds: 60
 */
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

/* Before glibc 2.34 a routine that was thrown out of is never over. */
static const bool exceptions_end_it = __GLIBC_PREREQ(2, 34);

static void try_often(std::once_flag &flag, std::atomic<int> &calls) {
    for (int i = 0; i < 20; i++) {
        try {
            std::call_once(flag, [&] {
                if (calls++ < 100 && exceptions_end_it)
                    throw i;
            });
        } catch (int) {
        }
    }
}

int main() {
    std::mutex seen;
    seen.lock();
    seen.unlock();
    for (int round = 0; round < 300; round++) {
        std::once_flag flag;
        std::atomic<int> calls{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 6; i++)
            threads.emplace_back([&] { try_often(flag, calls); });
        for (auto &thread : threads)
            thread.join();
    }
    return 0;
}
