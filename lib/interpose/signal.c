/* sigaction(2), signal(2) and their elders: every handler of the program is
 * called through a trampoline of its own, so that a thread is known to be in it.
 *
 * The kernel has the trampoline where it would have the handler, and everything
 * else (mask, flags, the signal frame) as the program gave it.  A trampoline
 * stands for one handler for ever: which handler is installed is the kernel's
 * knowledge alone, and changes in one step.  What the program asks for, it gets:
 * its own handler.  When there are more handlers than trampolines the rest is
 * installed as it is, and counted as not seen.
 *
 * A handler that interrupts the runtime is put off until it is outside again
 * (platform/own_locks.h), so that what the handler locks is seen, and nothing is left
 * half done; but one that comes while the thread waits as the program would. */
#include "interpose/signal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "engine/check.h"
#include "engine/misuse.h"
#include "engine/signal.h"
#include "interpose/company.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "platform/own_locks.h"
#include "platform/system.h"

enum { SLOTS = 512 };
typedef void handler_function(int, siginfo_t *, void *);

/* By slot; set once, NULL: free. */
static _Atomic(handler_function *) programs[SLOTS];
/* Signals whose handler is installed for one delivery, or asked to be told more. */
static _Atomic uint64_t one_shot, with_info;

/* Whose handlers these are; written by the constructor and by the only thread of a forked child. */
static uint32_t own_pid;

/* Code that calls handlers stands in a section of its own: a stack that leads
 * through it is a handler's. */
#define HANDLER_TEXT __attribute__((noinline, section("lgi_handler_text")))
extern const char __start_lgi_handler_text[] __attribute__((visibility("hidden")));
extern const char __stop_lgi_handler_text[] __attribute__((visibility("hidden")));

/* ---- being in a handler ---- */

/* What the thread was before. */
struct interrupted {
    struct lge_thread *thread; /* NULL: not known to us */
    struct lge_thread *self;
    uint32_t depth;
    bool inside, blocked, suspended;
};

/* On an alternate stack with less room than that below the handler, what it
 * locks is passed through: seeing a lock for the first time takes an unwinding. */
enum { ROOM = 12 * 1024 };

/* On x86-64 the kernel passes the context, which names the alternate stack, to
 * every handler, elsewhere only to those that asked for it: there the kernel is
 * asked. */
static stack_t alternate_stack(const ucontext_t *context) {
#if defined __x86_64__
    return context->uc_stack;
#else
    stack_t stack = {.ss_size = 0};
    (void)context;
    lgp_syscall(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0);
    return stack;
#endif
}

static void find_stack(struct lge_handler_mark *mark, const ucontext_t *context) {
    stack_t stack = alternate_stack(context);
    uintptr_t low = (uintptr_t)stack.ss_sp;
    if (stack.ss_size != 0 && mark->frame >= low && mark->frame < low + stack.ss_size) {
        mark->low = low;
        mark->high = low + stack.ss_size;
    }
}

static void enter_handler(struct interrupted *was, int signal, const void *context, uint32_t slot,
                          uintptr_t frame) {
    struct lge_thread *thread = lgi_local.block;
    *was = (struct interrupted){
        .thread = thread, .self = lgi_local.self, .inside = lgi_local.inside, .blocked = lgi_local.blocked};
    if (thread == NULL)
        return;
    was->suspended = lge_wait_suspend(thread);
    was->depth = thread->handlers.depth;
    if (was->depth < LGE_HANDLER_DEPTH) {
        struct lge_handler_mark mark = {
            .frame = frame,
            .slot = slot + 1,
            .signal = (uint16_t)signal,
            .inside = lgi_local.inside,
            .suspends = was->suspended,
        };
        find_stack(&mark, context);
        bool room = mark.high == 0 || frame - mark.low >= ROOM;
        mark.unseen = !room || (was->inside && !was->blocked);
        mark.inside |= !room;
        thread->handlers.marks[was->depth] = mark;
    }
    atomic_signal_fence(memory_order_release); /* a further handler finds the mark complete */
    thread->handlers.depth = was->depth + 1;
    lgi_local.self = NULL;
    lgi_local.inside =
        was->depth < LGE_HANDLER_DEPTH ? thread->handlers.marks[was->depth].unseen : was->inside;
    atomic_signal_fence(memory_order_seq_cst); /* never both inside and not blocked, but where it is so */
    lgi_local.blocked = false;
}

static bool at_work(void) { return lgp_own_locks.count != 0 || (lgi_local.inside && !lgi_local.blocked); }

/* The mark may be gone: the handler went to another stack and came back. */
static void leave_handler(const struct interrupted *was) {
    if (was->thread == NULL)
        return;
    if (was->suspended)
        lge_wait_resume(was->thread);
    if (was->thread->handlers.depth > was->depth)
        was->thread->handlers.depth = was->depth;
    lgi_local.blocked = was->blocked;
    atomic_signal_fence(memory_order_seq_cst);
    lgi_local.inside = was->inside;
    lgi_local.self = lgi_up && lgi_local.noted == NULL ? was->self : NULL; /* else the next call tells */
    atomic_signal_fence(memory_order_seq_cst);
    if (LGI_UNLIKELY(lgp_own_locks.put_off != 0) && !at_work())
        lgp_own_let_through();
}

static bool is_in(const _Atomic uint64_t *signals, int signal) {
    return (atomic_load_explicit(signals, memory_order_relaxed) >> ((signal - 1) & 63) & 1) != 0;
}

/* Sending these takes others back that wait: kill(2). */
static bool controls_job(int signal) {
    return signal == SIGCONT || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* Not a fault, which comes back at once; nor a handler that is gone by the second
 * delivery. */
static bool may_wait(int signal) {
#if defined __x86_64__
    bool told = true; /* of its context */
#else
    bool told = is_in(&with_info, signal);
#endif
    return told && !lge_signal_synchronous(signal) && !controls_job(signal) && !is_in(&one_shot, signal);
}

/* In the midst of the runtime a handler runs already, which may wait for this one. */
static bool in_unseen_handler(void) {
    const struct lge_handlers *handlers = lgi_local.block == NULL ? NULL : &lgi_local.block->handlers;
    const struct lge_handler_mark *mark = handlers == NULL ? NULL : lge_handler_at(handlers, handlers->depth);
    return mark != NULL && mark->unseen;
}

/* Its stack pointer. */
static uintptr_t interrupted_at(const ucontext_t *context) {
#if defined __x86_64__
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined __aarch64__
    return (uintptr_t)context->uc_mcontext.sp;
#else
    (void)context;
    return 0; /* no handler was left, for all that is known */
#endif
}

/* Realtime signals keep their order: this one would come after those. */
static bool others_queue(int signal) {
    uint64_t pending = 0;
    if (signal < SIGRTMIN)
        return false;
    lgp_syscall(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0, 0, 0);
    return (pending >> (signal - 1) & 1) != 0;
}

/* A handler that did not ask for it gets no more than room for a siginfo_t. */
static bool put_off(int signal, siginfo_t *info, void *context) {
    siginfo_t plain = {.si_signo = signal, .si_code = SI_QUEUE};
    if (!at_work() || !may_wait(signal))
        return false;
    if (lgi_local.block != NULL)
        lgi_forget_left(lgi_local.block, interrupted_at(context));
    if (!at_work() || in_unseen_handler() || others_queue(signal))
        return false;
    uint64_t *mask = (uint64_t *)(void *)&((ucontext_t *)context)->uc_sigmask;
    return lgp_put_off(signal, is_in(&with_info, signal) ? info : &plain, mask);
}

static void delivered(int signal) {
    if (is_in(&one_shot, signal))
        lge_signal_installed(signal, LGE_NO_SLOT);
}

HANDLER_TEXT static void call_signal_handler(int signal, siginfo_t *info, void *context, uint32_t slot) {
    struct interrupted was;
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (put_off(signal, info, context))
        return;
    enter_handler(&was, signal, context, slot, frame);
    delivered(signal);
    uint32_t taken_back = lgp_own_locks.count == 0 ? 0 : lgp_locks_interrupted();
    atomic_load_explicit(&programs[slot], memory_order_relaxed)(signal, info, context);
    lgp_locks_resumed(taken_back);
    leave_handler(&was);
}

/* ---- trampolines ---- */

#define EIGHT(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7)
#define SIXTY_FOUR(M, n)                                                                                     \
    EIGHT(M, n##0)                                                                                           \
    EIGHT(M, n##1)                                                                                           \
    EIGHT(M, n##2)                                                                                           \
    EIGHT(M, n##3)                                                                                           \
    EIGHT(M, n##4)                                                                                           \
    EIGHT(M, n##5)                                                                                           \
    EIGHT(M, n##6)                                                                                           \
    EIGHT(M, n##7)
#define ALL(M)                                                                                               \
    SIXTY_FOUR(M, 0)                                                                                         \
    SIXTY_FOUR(M, 1)                                                                                         \
    SIXTY_FOUR(M, 2)                                                                                         \
    SIXTY_FOUR(M, 3)                                                                                         \
    SIXTY_FOUR(M, 4)                                                                                         \
    SIXTY_FOUR(M, 5)                                                                                         \
    SIXTY_FOUR(M, 6)                                                                                         \
    SIXTY_FOUR(M, 7)
#define TRAMPOLINE(n)                                                                                        \
    HANDLER_TEXT static void trampoline_##n(int signal, siginfo_t *info, void *context) {                    \
        call_signal_handler(signal, info, context, 0##n);                                                    \
    }
#define NAME(n) trampoline_##n,
ALL(TRAMPOLINE) /* numbered in octal */
static handler_function *const trampolines[SLOTS] = {ALL(NAME)};

/* Its slot from 1, or LGE_NO_SLOT. */
static uint32_t slot_of(handler_function *handler) {
    uintptr_t at = (uintptr_t)handler;
    if (at < (uintptr_t)__start_lgi_handler_text || at >= (uintptr_t)__stop_lgi_handler_text)
        return LGE_NO_SLOT;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (trampolines[i] == handler)
            return i + 1;
    return LGE_NO_SLOT;
}

/* SIG_DFL, SIG_IGN, SIG_ERR and SIG_HOLD are no functions. */
static bool is_function(handler_function *handler) {
    return (uintptr_t)handler > 2 && handler != (handler_function *)(uintptr_t)SIG_ERR;
}

/* A free trampoline, or the handler's own; NULL: there is none. */
static handler_function *trampoline_for(handler_function *handler) {
    for (uint32_t i = 0; i < SLOTS; i++) {
        handler_function *there = atomic_load_explicit(&programs[i], memory_order_relaxed);
        bool ours = there == NULL &&
                    atomic_compare_exchange_strong_explicit(&programs[i], &there, handler,
                                                            memory_order_relaxed, memory_order_relaxed);
        if (ours || there == handler)
            return trampolines[i];
    }
    lge_count_unwrapped();
    return NULL;
}

/* Of a handler without a trampoline nobody knows when it comes, and which waits
 * it leaves. */
static handler_function *wrap(handler_function *handler) {
    if (!is_function(handler) || slot_of(handler) != LGE_NO_SLOT)
        return handler;
    handler_function *ours = NULL;
    if (lge_misuse_wanted(LGR_KIND_SIGNAL_UNSAFE))
        ours = trampoline_for(handler);
    if (ours == NULL)
        lgi_company_for_good();
    return ours == NULL ? handler : ours;
}

static handler_function *unwrap(handler_function *handler) {
    uint32_t slot = slot_of(handler);
    return slot == LGE_NO_SLOT ? handler : atomic_load_explicit(&programs[slot - 1], memory_order_relaxed);
}

static void put_into(_Atomic uint64_t *signals, int signal, bool is) {
    uint64_t bit = (uint64_t)1 << ((signal - 1) & 63);
    if (is)
        atomic_fetch_or_explicit(signals, bit, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(signals, ~bit, memory_order_relaxed);
}

/* Not by a child of vfork, which has handlers of its own in its parent's memory. */
static void installed(int signal, handler_function *handler, int flags) {
    if (lgp_pid() != own_pid)
        return;
    put_into(&one_shot, signal, (flags & (int)SA_RESETHAND) != 0);
    put_into(&with_info, signal, (flags & (int)SA_SIGINFO) != 0);
    lge_signal_installed(signal, slot_of(handler));
}

static bool installed_now(int signal, uint32_t slot) {
    int saved = errno;
    struct sigaction now;
    bool is = lgi_real.sigaction(signal, NULL, &now) == 0 &&
              slot_of((handler_function *)(uintptr_t)now.sa_sigaction) == slot;
    errno = saved;
    return is;
}

void lgi_signal_after_fork(void) { own_pid = lgp_pid(); }

void lgi_signal_start(void) {
    own_pid = lgp_pid();
    struct lge_signals_config config = {
        .text_from = (uintptr_t)__start_lgi_handler_text,
        .text_to = (uintptr_t)__stop_lgi_handler_text,
        .installed = installed_now,
    };
    lge_signals_start(&config);
}

/* ---- the program's calls ---- */

LGI_EXPORT int sigaction(int signal, const struct sigaction *restrict action,
                         struct sigaction *restrict old) {
    struct sigaction ours;
    if (action != NULL) {
        ours = *action;
        ours.sa_sigaction = wrap(action->sa_sigaction);
    }
    int result = lgi_real.sigaction(signal, action == NULL ? NULL : &ours, old);
    if (result != 0)
        return result;
    if (old != NULL)
        old->sa_sigaction = unwrap(old->sa_sigaction);
    if (action != NULL)
        installed(signal, ours.sa_sigaction, ours.sa_flags);
    return 0;
}

LGI_EXPORT int __sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
    return sigaction(signal, action, old);
}

typedef void simple_handler(int);

/* `set`: the real function; `flags`: what it installs with. */
static simple_handler *set_simple(simple_handler *(*set)(int, simple_handler *), int signal,
                                  simple_handler *handler, int flags) {
    handler_function *ours = wrap((handler_function *)(uintptr_t)handler);
    simple_handler *old = set(signal, (simple_handler *)(uintptr_t)ours);
    if (old == SIG_ERR)
        return old;
    if (handler != SIG_HOLD)
        installed(signal, ours, flags);
    return (simple_handler *)(uintptr_t)unwrap((handler_function *)(uintptr_t)old);
}

LGI_EXPORT simple_handler *signal(int number, simple_handler *handler) {
    return set_simple(lgi_real.signal, number, handler, 0);
}
LGI_EXPORT simple_handler *bsd_signal(int number, simple_handler *handler) {
    return set_simple(lgi_real.signal, number, handler, 0);
}
LGI_EXPORT simple_handler *ssignal(int number, simple_handler *handler) {
    return set_simple(lgi_real.signal, number, handler, 0);
}
LGI_EXPORT simple_handler *sysv_signal(int number, simple_handler *handler) {
    return set_simple(lgi_real.sysv_signal, number, handler, (int)SA_RESETHAND);
}
LGI_EXPORT simple_handler *__sysv_signal(int number, simple_handler *handler) {
    return set_simple(lgi_real.sysv_signal, number, handler, (int)SA_RESETHAND);
}
LGI_EXPORT simple_handler *sigset(int number, simple_handler *handler) {
    return set_simple(lgi_real.sigset, number, handler, 0);
}
