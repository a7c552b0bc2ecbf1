/* The drop-in locks as C++11 and later know locks: usable with std::lock_guard,
 * std::unique_lock, std::scoped_lock, std::shared_lock and std::condition_variable_any.
 *
 *     static lockgraph::mutex registry{"registry", LEVEL_REGISTRY};
 *     static lockgraph::shared_mutex routes{"routes", LEVEL_ROUTES};
 *
 *     std::lock_guard<lockgraph::mutex> guard(registry);
 *
 * Statics are initialised by the compiler, before any code runs.  lock() and
 * lock_shared() throw std::system_error where the C functions return an error:
 * timed_out when the limit passed, resource_deadlock_would_occur for a lock that is
 * refused because of its level.  So do the timed functions, but for the time limit of
 * the caller's own, which is `false`.  unlock() of what is not held is reported, and does
 * nothing.  With LOCKGRAPH_DISABLE they are the pthread calls, and need no library. */
#ifndef LOCKGRAPH_LOCKGRAPH_HPP
#define LOCKGRAPH_LOCKGRAPH_HPP

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <system_error>

#include <lockgraph/lockgraph.h>

namespace lockgraph {

namespace detail {

constexpr int checked(int level) {
    return level < LG_NO_LEVEL || level > std::numeric_limits<std::int16_t>::max()
               ? throw std::invalid_argument("lockgraph: levels are 1 to 32767")
               : level;
}

inline void want(int error) {
    if (error != 0)
        throw std::system_error(error, std::generic_category());
}

/* `absent`: the error that means no. */
inline bool got(int error, int absent) {
    if (error == absent)
        return false;
    want(error);
    return true;
}

/* Never shorter than asked for; as long as can be said for more than that. */
template <class Rep, class Period> std::int32_t milliseconds(const std::chrono::duration<Rep, Period> &time) {
    using limit = std::chrono::duration<double, std::milli>;
    if (!(time > time.zero()))
        return 0;
    if (limit(time).count() >= std::numeric_limits<std::int32_t>::max())
        return std::numeric_limits<std::int32_t>::max();
    auto rounded = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    return static_cast<std::int32_t>(rounded.count() + (rounded < time ? 1 : 0));
}

/* Until that clock says so, however it is set meanwhile. */
template <class Clock, class Duration, class Attempt>
bool until(const std::chrono::time_point<Clock, Duration> &at, Attempt attempt) {
    for (;;) {
        auto left = at - Clock::now();
        if (got(attempt(milliseconds(left)), ETIMEDOUT))
            return true;
        if (Clock::now() >= at)
            return false;
    }
}

} // namespace detail

/* With LOCKGRAPH_DISABLE nobody looks at names, levels and keys. */
#define LG_MAY_BE_UNUSED __attribute__((unused))

class mutex {
  public:
    constexpr explicit mutex(LG_MAY_BE_UNUSED const char *name = nullptr,
                             LG_MAY_BE_UNUSED int level = LG_NO_LEVEL)
        : mutex_ LG_MUTEX_INITIALIZER(name, detail::checked(level)) {}
    constexpr mutex(LG_MAY_BE_UNUSED const char *name, LG_MAY_BE_UNUSED int level,
                    LG_MAY_BE_UNUSED std::uint64_t key)
        : mutex_ LG_MUTEX_INITIALIZER_KEYED(name, detail::checked(level), key) {}
    ~mutex() { lg_mutex_destroy(&mutex_); }
    mutex(const mutex &) = delete;
    mutex &operator=(const mutex &) = delete;

    void lock() { detail::want(lg_mutex_lock(&mutex_)); }
    bool try_lock() { return detail::got(lg_mutex_trylock(&mutex_), EBUSY); }
    void unlock() { lg_mutex_unlock(&mutex_); }

    template <class Rep, class Period> bool try_lock_for(const std::chrono::duration<Rep, Period> &time) {
        return detail::got(lg_mutex_timedlock(&mutex_, detail::milliseconds(time)), ETIMEDOUT);
    }
    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration> &at) {
        return detail::until(at, [this](std::int32_t ms) { return lg_mutex_timedlock(&mutex_, ms); });
    }

    typedef lg_mutex_t *native_handle_type;
    native_handle_type native_handle() { return &mutex_; }

  private:
    lg_mutex_t mutex_;
};

class shared_mutex {
  public:
    constexpr explicit shared_mutex(LG_MAY_BE_UNUSED const char *name = nullptr,
                                    LG_MAY_BE_UNUSED int level = LG_NO_LEVEL)
        : lock_ LG_RWLOCK_INITIALIZER(name, detail::checked(level)) {}
    constexpr shared_mutex(LG_MAY_BE_UNUSED const char *name, LG_MAY_BE_UNUSED int level,
                           LG_MAY_BE_UNUSED std::uint64_t key)
        : lock_ LG_RWLOCK_INITIALIZER_KEYED(name, detail::checked(level), key) {}
    ~shared_mutex() { lg_rwlock_destroy(&lock_); }
    shared_mutex(const shared_mutex &) = delete;
    shared_mutex &operator=(const shared_mutex &) = delete;

    void lock() { detail::want(lg_rwlock_wrlock(&lock_)); }
    bool try_lock() { return detail::got(lg_rwlock_trywrlock(&lock_), EBUSY); }
    void unlock() { lg_rwlock_unlock(&lock_); }
    void lock_shared() { detail::want(lg_rwlock_rdlock(&lock_)); }
    bool try_lock_shared() { return detail::got(lg_rwlock_tryrdlock(&lock_), EBUSY); }
    void unlock_shared() { lg_rwlock_unlock(&lock_); }

    template <class Rep, class Period> bool try_lock_for(const std::chrono::duration<Rep, Period> &time) {
        return detail::got(lg_rwlock_timedwrlock(&lock_, detail::milliseconds(time)), ETIMEDOUT);
    }
    template <class Rep, class Period>
    bool try_lock_shared_for(const std::chrono::duration<Rep, Period> &time) {
        return detail::got(lg_rwlock_timedrdlock(&lock_, detail::milliseconds(time)), ETIMEDOUT);
    }
    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration> &at) {
        return detail::until(at, [this](std::int32_t ms) { return lg_rwlock_timedwrlock(&lock_, ms); });
    }
    template <class Clock, class Duration>
    bool try_lock_shared_until(const std::chrono::time_point<Clock, Duration> &at) {
        return detail::until(at, [this](std::int32_t ms) { return lg_rwlock_timedrdlock(&lock_, ms); });
    }

    typedef lg_rwlock_t *native_handle_type;
    native_handle_type native_handle() { return &lock_; }

  private:
    lg_rwlock_t lock_;
};

#undef LG_MAY_BE_UNUSED

} // namespace lockgraph

#endif
