/* What pthread_once, call_once and std::call_once do: nested, thrown out of,
 * cancelled, waited for by others, and from C11.
 *
 * transcript
 */
#include <atomic>
#include <cstdio>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <threads.h>
#include <unistd.h>

static pthread_once_t outer = PTHREAD_ONCE_INIT, inner = PTHREAD_ONCE_INIT, shared = PTHREAD_ONCE_INIT,
                      cancelled = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static std::atomic<int> runs, inside;

static void run_inner(void) { std::printf("inner runs\n"); }

static void run_outer(void) {
    std::printf("outer begins\n");
    pthread_once(&inner, run_inner);
    pthread_once(&inner, run_inner);
    std::printf("outer ends\n");
}

static void run_slowly(void) {
    usleep(100000);
    runs++;
}

static void *share(void *) {
    if (pthread_once(&shared, run_slowly) != 0 || runs != 1)
        std::printf("came back before the routine was over\n");
    return nullptr;
}

static void run_until_cancelled(void) {
    inside = 1;
    for (;;)
        pause();
}

static void *begin_for_ever(void *) {
    pthread_once(&cancelled, run_until_cancelled);
    std::printf("not cancelled\n");
    return nullptr;
}

static void nested() {
    std::printf("%d %d\n", pthread_once(&outer, run_outer), pthread_once(&outer, run_outer));
}

[[maybe_unused]] static void thrown() {
    std::once_flag once;
    for (int i = 0; i < 3; i++) {
        try {
            std::call_once(once, [&] {
                std::printf("try %d\n", i);
                if (i == 0)
                    throw std::runtime_error("not yet");
            });
        } catch (const std::exception &error) {
            std::printf("caught %s\n", error.what());
        }
    }
}

[[maybe_unused]] static void thrown_inside_another() {
    static std::once_flag one, two;
    std::call_once(one, [] {
        try {
            std::call_once(two, [] { throw 1; });
        } catch (int) {
            std::printf("caught within\n");
        }
        pthread_once(&inner, run_inner);
    });
    std::call_once(two, [] { std::printf("second time\n"); });
}

static void waited_for() {
    pthread_t threads[4];
    for (pthread_t &thread : threads)
        pthread_create(&thread, nullptr, share, nullptr);
    for (pthread_t thread : threads)
        pthread_join(thread, nullptr);
    std::printf("%d run\n", runs.load());
}

static void again_after_cancellation() {
    pthread_t thread;
    void *result;
    pthread_create(&thread, nullptr, begin_for_ever, nullptr);
    while (inside == 0)
        usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    std::printf("%d ", result == PTHREAD_CANCELED);
    std::printf("%d\n", pthread_once(&cancelled, [] { std::printf("runs after all\n"); }));
}

int main() {
    nested();
#if __GLIBC_PREREQ(2, 34) /* before it, a routine that was thrown out of is never over */
    thrown();
    thrown_inside_another();
#endif
    waited_for();
    again_after_cancellation();
    for (int i = 0; i < 3; i++)
        call_once(&flag, [] { std::printf("C11 runs\n"); });
    return 0;
}
