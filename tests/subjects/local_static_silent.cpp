/* Static variables of functions that many threads need at the same time: initialised in
 * order (__cxa_guard_release), tried again after exceptions (__cxa_guard_abort), waited for under locks, one
 * in another, in signal handlers and forked children.  Nobody waits for ever.
 *
 * silent
 * transcript
 * seconds: 60
 */
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <pthread.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

static std::atomic<int> made;

struct Slow {
    Slow() {
        usleep(20000);
        made++;
    }
};

struct Thrower {
    explicit Thrower(std::atomic<int> &tries) {
        usleep(1000);
        if (tries++ < 50)
            throw 1;
        made++;
    }
};

template <int number> static Slow &slow() {
    static Slow variable;
    return variable;
}

struct Outer {
    Outer() {
        slow<1>();
        made++;
    }
};

static Outer &outer() {
    static Outer variable;
    return variable;
}

static void everybody(void (*use)()) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; i++)
        threads.emplace_back(use);
    for (auto &thread : threads)
        thread.join();
}

static void under_a_lock() {
    static std::mutex locks[6];
    static std::atomic<int> next;
    std::lock_guard<std::mutex> guard(locks[next++]);
    slow<2>();
}

static void nested() { outer(); }

static void try_often() {
    static std::atomic<int> tries;
    for (;;) {
        try {
            static Thrower variable(tries);
            return;
        } catch (int) {
        }
    }
}

/* In the child nobody is at it, but what the parent's other thread had begun stays so. */
static void in_child() {
    pid_t child = fork();
    if (child == 0) {
        slow<3>();
        std::mutex one, other;
        std::lock_guard<std::mutex> first(one);
        std::lock_guard<std::mutex> second(other);
        _exit(made == 0 ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    std::printf("child: %d\n", status);
}

/* A thread that is cancelled in an initialiser leaves the variable for others. */
static std::atomic<int> begun;

struct Cancelled {
    Cancelled() {
        if (begun++ == 0)
            for (;;)
                usleep(1000);
        made++;
    }
};

static void *use_cancelled(void *unused) {
    static Cancelled variable;
    return unused;
}

static void cancelled() {
    pthread_t one, other;
    pthread_create(&one, nullptr, use_cancelled, nullptr);
    while (begun == 0)
        usleep(1000);
    pthread_create(&other, nullptr, use_cancelled, nullptr);
    usleep(20000);
    pthread_cancel(one);
    pthread_join(one, nullptr);
    pthread_join(other, nullptr);
}

int main() {
    everybody(under_a_lock);
    everybody(nested);
    everybody(try_often);
    in_child();
    cancelled();
    std::printf("made %d\n", made.load());
    return 0;
}
