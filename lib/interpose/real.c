#include "interpose/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "interpose/local_static.h"
#include "platform/system.h"

/* libc's own names of the mutex functions, which nobody interposes; exported
 * with a non-default version, hence by name and version. */
#if defined __x86_64__
#define OLDEST "GLIBC_2.2.5"
#elif defined __aarch64__
#define OLDEST "GLIBC_2.17"
#else
#error "add the oldest glibc symbol version of this machine"
#endif
int libc_mutex_lock(pthread_mutex_t *mutex);
int libc_mutex_trylock(pthread_mutex_t *mutex);
int libc_mutex_unlock(pthread_mutex_t *mutex);
int libc_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int libc_mutex_destroy(pthread_mutex_t *mutex);
__asm__(".symver libc_mutex_lock,__pthread_mutex_lock@" OLDEST);
__asm__(".symver libc_mutex_trylock,__pthread_mutex_trylock@" OLDEST);
__asm__(".symver libc_mutex_unlock,__pthread_mutex_unlock@" OLDEST);
__asm__(".symver libc_mutex_init,__pthread_mutex_init@" OLDEST);
__asm__(".symver libc_mutex_destroy,__pthread_mutex_destroy@" OLDEST);
/* And once: an allocator's own start calls it, and looking it up would allocate (before
 * glibc 2.34 dlsym does). */
int libc_once(pthread_once_t *once, void (*routine)(void));
__asm__(".symver libc_once,__pthread_once@" OLDEST);

/* As these: an allocator may call them at its own start, when nothing can be
 * looked up. */
extern int __fcntl(int descriptor, int command, ...);
extern int __close(int descriptor);
extern int __dup2(int from, int to);

const struct lgi_libc lgi_libc = {libc_mutex_lock, libc_mutex_trylock, libc_mutex_unlock};

/* The constructors of libraries that a program is linked with may run before
 * ours and call anything: the first such call looks all of them up. */
#define EARLY(field, parameters, ...)                                                                        \
    static int early_##field parameters {                                                                    \
        lgi_real_start();                                                                                    \
        return lgi_real.field(__VA_ARGS__);                                                                  \
    }
EARLY(mutex_timedlock, (pthread_mutex_t * mutex, const struct timespec *at), mutex, at)
EARLY(mutex_clocklock, (pthread_mutex_t * mutex, clockid_t clock, const struct timespec *at), mutex, clock,
      at)
EARLY(cond_init, (pthread_cond_t * condition, const pthread_condattr_t *attributes), condition, attributes)
EARLY(cond_destroy, (pthread_cond_t * condition), condition)
EARLY(cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex), condition, mutex)
EARLY(cond_timedwait, (pthread_cond_t * condition, pthread_mutex_t *mutex, const struct timespec *at),
      condition, mutex, at)
EARLY(cond_clockwait,
      (pthread_cond_t * condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at),
      condition, mutex, clock, at)
EARLY(cond_signal, (pthread_cond_t * condition), condition)
EARLY(cond_broadcast, (pthread_cond_t * condition), condition)
EARLY(mtx_init, (mtx_t * mutex, int type), mutex, type)
EARLY(thrd_create, (thrd_t * thread, thrd_start_t routine, void *argument), thread, routine, argument)
EARLY(thrd_join, (thrd_t thread, int *value), thread, value)
EARLY(thrd_detach, (thrd_t thread), thread)
EARLY(create,
      (pthread_t * thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument),
      thread, attributes, routine, argument)
EARLY(join, (pthread_t thread, void **value), thread, value)
EARLY(tryjoin, (pthread_t thread, void **value), thread, value)
EARLY(timedjoin, (pthread_t thread, void **value, const struct timespec *at), thread, value, at)
EARLY(clockjoin, (pthread_t thread, void **value, clockid_t clock, const struct timespec *at), thread, value,
      clock, at)
EARLY(detach, (pthread_t thread), thread)
EARLY(rwlock_init, (pthread_rwlock_t * lock, const pthread_rwlockattr_t *attributes), lock, attributes)
EARLY(rwlock_destroy, (pthread_rwlock_t * lock), lock)
EARLY(rwlock_rdlock, (pthread_rwlock_t * lock), lock)
EARLY(rwlock_tryrdlock, (pthread_rwlock_t * lock), lock)
EARLY(rwlock_timedrdlock, (pthread_rwlock_t * lock, const struct timespec *at), lock, at)
EARLY(rwlock_clockrdlock, (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *at), lock, clock,
      at)
EARLY(rwlock_wrlock, (pthread_rwlock_t * lock), lock)
EARLY(rwlock_trywrlock, (pthread_rwlock_t * lock), lock)
EARLY(rwlock_timedwrlock, (pthread_rwlock_t * lock, const struct timespec *at), lock, at)
EARLY(rwlock_clockwrlock, (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *at), lock, clock,
      at)
EARLY(rwlock_unlock, (pthread_rwlock_t * lock), lock)
EARLY(spin_init, (pthread_spinlock_t * lock, int shared), lock, shared)
EARLY(spin_destroy, (pthread_spinlock_t * lock), lock)
EARLY(spin_lock, (pthread_spinlock_t * lock), lock)
EARLY(spin_trylock, (pthread_spinlock_t * lock), lock)
EARLY(spin_unlock, (pthread_spinlock_t * lock), lock)
EARLY(barrier_init, (pthread_barrier_t * barrier, const pthread_barrierattr_t *attributes, unsigned count),
      barrier, attributes, count)
EARLY(barrier_destroy, (pthread_barrier_t * barrier), barrier)
EARLY(barrier_wait, (pthread_barrier_t * barrier), barrier)
EARLY(guard_acquire, (uint64_t * guard), guard)
static void early_guard_release(uint64_t *guard) {
    lgi_real_start();
    lgi_real.guard_release(guard);
}
static void early_guard_abort(uint64_t *guard) {
    lgi_real_start();
    lgi_real.guard_abort(guard);
}
EARLY(sem_init, (sem_t * semaphore, int shared, unsigned value), semaphore, shared, value)
EARLY(sem_destroy, (sem_t * semaphore), semaphore)
EARLY(sem_wait, (sem_t * semaphore), semaphore)
EARLY(sem_trywait, (sem_t * semaphore), semaphore)
EARLY(sem_timedwait, (sem_t * semaphore, const struct timespec *at), semaphore, at)
EARLY(sem_clockwait, (sem_t * semaphore, clockid_t clock, const struct timespec *at), semaphore, clock, at)
EARLY(sem_post, (sem_t * semaphore), semaphore)
EARLY(sem_close, (sem_t * semaphore), semaphore)
EARLY(sigaction, (int number, const struct sigaction *action, struct sigaction *old), number, action, old)
EARLY(cancel, (pthread_t thread), thread)
EARLY(register_atfork, (void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object),
      prepare, parent, child, object)
static pid_t early_fork(void) {
    lgi_real_start();
    return lgi_real.fork();
}
EARLY(execve, (const char *path, char *const arguments[], char *const environment[]), path, arguments,
      environment)
EARLY(execv, (const char *path, char *const arguments[]), path, arguments)
EARLY(execvp, (const char *file, char *const arguments[]), file, arguments)
EARLY(execvpe, (const char *file, char *const arguments[], char *const environment[]), file, arguments,
      environment)
EARLY(fexecve, (int file, char *const arguments[], char *const environment[]), file, arguments, environment)
typedef void handler_function(int);
#define EARLY_HANDLER(field)                                                                                 \
    static handler_function *early_##field(int number, handler_function *handler) {                          \
        lgi_real_start();                                                                                    \
        return lgi_real.field(number, handler);                                                              \
    }
/* cppcheck-suppress [CastIntegerToAddressAtReturn]; these fields return pointers */
EARLY_HANDLER(signal)
/* cppcheck-suppress [CastIntegerToAddressAtReturn] */
EARLY_HANDLER(sysv_signal)
/* cppcheck-suppress [CastIntegerToAddressAtReturn] */
EARLY_HANDLER(sigset)
static sem_t *early_sem_open(const char *name, int flags, ...) {
    lgi_real_start();
    if ((flags & O_CREAT) == 0)
        return lgi_real.sem_open(name, flags);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    unsigned value = va_arg(arguments, unsigned);
    va_end(arguments);
    return lgi_real.sem_open(name, flags, mode, value);
}

EARLY(flock, (int descriptor, int operation), descriptor, operation)
EARLY(lockf, (int descriptor, int command, off_t length), descriptor, command, length)
EARLY(fclose, (FILE * stream), stream)
EARLY(dup3, (int from, int to, int flags), from, to, flags)
EARLY(iterate_objects, (lgp_object_callback * callback, void *data), callback, data)
/* An allocator calls it at its own start, under its lock; before glibc 2.34 dlsym allocates. */
static int early_munmap(void *start, size_t size) {
    long result = lgp_syscall(SYS_munmap, (long)start, (long)size, 0, 0, 0, 0);
    if (!lgp_is_error(result))
        return 0;
    errno = (int)-result;
    return -1;
}
/* Before glibc 2.34 it is in a library of its own, which may come later. */
static int early_dlclose(void *handle) {
    lgi_real_start();
    return lgi_real.dlclose == early_dlclose ? -1 : lgi_real.dlclose(handle);
}
static void early_exit_thread(void *value) {
    lgi_real_start();
    lgi_real.exit_thread(value);
}

struct lgi_real lgi_real = {
    .mutex_lock = libc_mutex_lock,
    .mutex_trylock = libc_mutex_trylock,
    .mutex_unlock = libc_mutex_unlock,
    .mutex_init = libc_mutex_init,
    .mutex_destroy = libc_mutex_destroy,
    .mutex_timedlock = early_mutex_timedlock,
    .mutex_clocklock = early_mutex_clocklock,
    .cond_init = early_cond_init,
    .cond_destroy = early_cond_destroy,
    .cond_wait = early_cond_wait,
    .cond_timedwait = early_cond_timedwait,
    .cond_clockwait = early_cond_clockwait,
    .cond_signal = early_cond_signal,
    .cond_broadcast = early_cond_broadcast,
    .mtx_init = early_mtx_init,
    .thrd_create = early_thrd_create,
    .thrd_join = early_thrd_join,
    .thrd_detach = early_thrd_detach,
    .create = early_create,
    .join = early_join,
    .tryjoin = early_tryjoin,
    .timedjoin = early_timedjoin,
    .clockjoin = early_clockjoin,
    .detach = early_detach,
    .rwlock_init = early_rwlock_init,
    .rwlock_destroy = early_rwlock_destroy,
    .rwlock_rdlock = early_rwlock_rdlock,
    .rwlock_tryrdlock = early_rwlock_tryrdlock,
    .rwlock_timedrdlock = early_rwlock_timedrdlock,
    .rwlock_clockrdlock = early_rwlock_clockrdlock,
    .rwlock_wrlock = early_rwlock_wrlock,
    .rwlock_trywrlock = early_rwlock_trywrlock,
    .rwlock_timedwrlock = early_rwlock_timedwrlock,
    .rwlock_clockwrlock = early_rwlock_clockwrlock,
    .rwlock_unlock = early_rwlock_unlock,
    .spin_init = early_spin_init,
    .spin_destroy = early_spin_destroy,
    .spin_lock = early_spin_lock,
    .spin_trylock = early_spin_trylock,
    .spin_unlock = early_spin_unlock,
    .barrier_init = early_barrier_init,
    .barrier_destroy = early_barrier_destroy,
    .barrier_wait = early_barrier_wait,
    .once = libc_once,
    .guard_acquire = early_guard_acquire,
    .guard_release = early_guard_release,
    .guard_abort = early_guard_abort,
    .munmap = early_munmap,
    .dlclose = early_dlclose,
    .exit_thread = early_exit_thread,
    .sem_init = early_sem_init,
    .sem_destroy = early_sem_destroy,
    .sem_wait = early_sem_wait,
    .sem_trywait = early_sem_trywait,
    .sem_timedwait = early_sem_timedwait,
    .sem_clockwait = early_sem_clockwait,
    .sem_post = early_sem_post,
    .sem_close = early_sem_close,
    .sigaction = early_sigaction,
    .signal = early_signal,
    .sysv_signal = early_sysv_signal,
    .sigset = early_sigset,
    .cancel = early_cancel,
    .fork = early_fork,
    .register_atfork = early_register_atfork,
    .execve = early_execve,
    .execv = early_execv,
    .execvp = early_execvp,
    .execvpe = early_execvpe,
    .fexecve = early_fexecve,
    .sem_open = early_sem_open,
    .flock = early_flock,
    .fcntl = __fcntl,
    .lockf = early_lockf,
    .close = __close,
    .fclose = early_fclose,
    .dup2 = __dup2,
    .dup3 = early_dup3,
    .iterate_objects = early_iterate_objects,
};

/* `version`: tried first, where a name exists in two incompatible versions. */
struct entry {
    size_t offset;
    const char *name;
    const char *version;
};
#define REAL(field, name)                                                                                    \
    { offsetof(struct lgi_real, field), name, NULL }
#define REAL_VERSION(field, name, version)                                                                   \
    { offsetof(struct lgi_real, field), name, version }
#if defined __x86_64__
#define CONDITION_VERSION "GLIBC_2.3.2"
#else
#define CONDITION_VERSION OLDEST
#endif
static const struct entry entries[] = {
    REAL(mutex_lock, "pthread_mutex_lock"),
    REAL(mutex_trylock, "pthread_mutex_trylock"),
    REAL(mutex_unlock, "pthread_mutex_unlock"),
    REAL(mutex_init, "pthread_mutex_init"),
    REAL(mutex_destroy, "pthread_mutex_destroy"),
    REAL(mutex_timedlock, "pthread_mutex_timedlock"),
    REAL(mutex_clocklock, "pthread_mutex_clocklock"),
    REAL_VERSION(cond_init, "pthread_cond_init", CONDITION_VERSION),
    REAL_VERSION(cond_destroy, "pthread_cond_destroy", CONDITION_VERSION),
    REAL_VERSION(cond_wait, "pthread_cond_wait", CONDITION_VERSION),
    REAL_VERSION(cond_timedwait, "pthread_cond_timedwait", CONDITION_VERSION),
    REAL(cond_clockwait, "pthread_cond_clockwait"),
    REAL_VERSION(cond_signal, "pthread_cond_signal", CONDITION_VERSION),
    REAL_VERSION(cond_broadcast, "pthread_cond_broadcast", CONDITION_VERSION),
    REAL(mtx_init, "mtx_init"),
    REAL(thrd_create, "thrd_create"),
    REAL(thrd_join, "thrd_join"),
    REAL(thrd_detach, "thrd_detach"),
    REAL(create, "pthread_create"),
    REAL(join, "pthread_join"),
    REAL(tryjoin, "pthread_tryjoin_np"),
    REAL(timedjoin, "pthread_timedjoin_np"),
    REAL(clockjoin, "pthread_clockjoin_np"),
    REAL(detach, "pthread_detach"),
    REAL(rwlock_init, "pthread_rwlock_init"),
    REAL(rwlock_destroy, "pthread_rwlock_destroy"),
    REAL(rwlock_rdlock, "pthread_rwlock_rdlock"),
    REAL(rwlock_tryrdlock, "pthread_rwlock_tryrdlock"),
    REAL(rwlock_timedrdlock, "pthread_rwlock_timedrdlock"),
    REAL(rwlock_clockrdlock, "pthread_rwlock_clockrdlock"),
    REAL(rwlock_wrlock, "pthread_rwlock_wrlock"),
    REAL(rwlock_trywrlock, "pthread_rwlock_trywrlock"),
    REAL(rwlock_timedwrlock, "pthread_rwlock_timedwrlock"),
    REAL(rwlock_clockwrlock, "pthread_rwlock_clockwrlock"),
    REAL(rwlock_unlock, "pthread_rwlock_unlock"),
    REAL(spin_init, "pthread_spin_init"),
    REAL(spin_destroy, "pthread_spin_destroy"),
    REAL(spin_lock, "pthread_spin_lock"),
    REAL(spin_trylock, "pthread_spin_trylock"),
    REAL(spin_unlock, "pthread_spin_unlock"),
    REAL(barrier_init, "pthread_barrier_init"),
    REAL(barrier_destroy, "pthread_barrier_destroy"),
    REAL(barrier_wait, "pthread_barrier_wait"),
    REAL(once, "pthread_once"),
    REAL(guard_acquire, "__cxa_guard_acquire"),
    REAL(guard_release, "__cxa_guard_release"),
    REAL(guard_abort, "__cxa_guard_abort"),
    REAL(munmap, "munmap"),
    REAL(dlclose, "dlclose"),
    REAL(exit_thread, "pthread_exit"),
    REAL(sem_init, "sem_init"),
    REAL(sem_destroy, "sem_destroy"),
    REAL(sem_wait, "sem_wait"),
    REAL(sem_trywait, "sem_trywait"),
    REAL(sem_timedwait, "sem_timedwait"),
    REAL(sem_clockwait, "sem_clockwait"),
    REAL(sem_post, "sem_post"),
    REAL(sem_close, "sem_close"),
    REAL(sigaction, "sigaction"),
    REAL(signal, "signal"),
    REAL(sysv_signal, "__sysv_signal"),
    REAL(sigset, "sigset"),
    REAL(cancel, "pthread_cancel"),
    REAL(fork, "fork"),
    REAL(bare_fork, "_Fork"),
    REAL(register_atfork, "__register_atfork"),
    REAL(thrd_exit, "thrd_exit"),
    REAL(execve, "execve"),
    REAL(execv, "execv"),
    REAL(execvp, "execvp"),
    REAL(execvpe, "execvpe"),
    REAL(fexecve, "fexecve"),
    REAL(execveat, "execveat"),
    REAL(sem_open, "sem_open"),
    REAL(flock, "flock"),
    REAL(fcntl, "fcntl"),
    REAL(lockf, "lockf"),
    REAL(close, "close"),
    REAL(fclose, "fclose"),
    REAL(dup2, "dup2"),
    REAL(dup3, "dup3"),
    REAL(close_range, "close_range"),
    REAL(closefrom, "closefrom"),
    REAL(iterate_objects, "dl_iterate_phdr"),
};

/* Another interposer's definition carries no version, so the versioned look-up
 * is for libc only: it counts when the plain one leads to libc, too. */
static void *look_up(const struct entry *entry) {
    void *plain = dlsym(RTLD_NEXT, entry->name);
    if (entry->version == NULL)
        return plain;
    void *versioned = dlvsym(RTLD_NEXT, entry->name, entry->version);
    return versioned != NULL ? versioned : plain;
}

static const void *module_of(const void *address) {
    Dl_info info;
    return dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

/* Before glibc 2.34 its thread functions are in a library of their own. */
static bool is_in_libc(const void *function) {
    const void *module = module_of(function);
    return module != NULL && (module == module_of((void *)gnu_get_libc_version) ||
                              module == module_of((void *)lgi_libc.mutex_lock));
}

/* libc's function, NULL where another interposer's comes first.  Not by a handle
 * of libc: dlopen allocates, and an allocator's own start may have brought us
 * here with its lock held. */
static void *in_libc(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    return found != NULL && is_in_libc(found) ? found : NULL;
}

bool lgi_real_is_libc(const char *name, const void *function) {
    return function != NULL && function == in_libc(name);
}

static const char *single_threaded; /* libc's; written once by the constructor */

bool lgi_real_single_threaded(void) { return single_threaded != NULL && *single_threaded != 0; }

/* Perhaps one that was copied into the program. */
static void start_single_threaded(void) { single_threaded = dlsym(RTLD_DEFAULT, "__libc_single_threaded"); }

static void start_clock(void) {
    void *found = in_libc("clock_gettime");
    if (found != NULL)
        lgp_clock_start((int (*)(clockid_t, struct timespec *))found);
}

void lgi_real_start(void) {
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        void *found = look_up(&entries[i]);
        if (found != NULL)
            *(void **)(void *)((char *)&lgi_real + entries[i].offset) = found;
    }
    if (lgi_real.guard_acquire == early_guard_acquire) {
        lgi_real.guard_acquire = lgi_guard_acquire;
        lgi_real.guard_release = lgi_guard_release;
        lgi_real.guard_abort = lgi_guard_abort;
    }
    start_clock();
    start_single_threaded();
}
