/* sigaction(2), signal(2) and their elders: every handler of the program is
 * called through a trampoline of its own, so that a thread is known to be in it.
 *
 * The kernel has the trampoline where it would have the handler, and everything
 * else (mask, flags, the signal frame) as the program gave it.  A trampoline
 * stands for one handler for ever: which handler is installed is the kernel's
 * knowledge alone, and changes in one step.  What the program asks for, it gets:
 * its own handler.  When there are more handlers than trampolines the rest is
 * installed as it is. */
#include "interpose/signal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "engine/misuse.h"
#include "engine/signal.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "platform/system.h"

enum { SLOTS = 64 };
typedef void handler_function(int, siginfo_t *, void *);

/* By slot; set once, NULL: free. */
static _Atomic(handler_function *) programs[SLOTS];
/* Signals whose handler is installed for one delivery. */
static _Atomic uint64_t one_shot;

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
    bool inside;
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
    *was = (struct interrupted){.thread = thread, .self = lgi_local.self, .inside = lgi_local.inside};
    if (thread == NULL)
        return;
    was->depth = thread->handlers.depth;
    if (was->depth < LGE_HANDLER_DEPTH) {
        struct lge_handler_mark mark = {
            .frame = frame, .slot = slot + 1, .signal = (uint16_t)signal, .inside = lgi_local.inside};
        find_stack(&mark, context);
        if (mark.high != 0 && frame - mark.low < ROOM)
            mark.inside = lgi_local.inside = true;
        thread->handlers.marks[was->depth] = mark;
    }
    atomic_signal_fence(memory_order_release); /* a further handler finds the mark complete */
    thread->handlers.depth = was->depth + 1;
    lgi_local.self = NULL;
}

/* The mark may be gone: the handler went to another stack and came back. */
static void leave_handler(const struct interrupted *was) {
    if (was->thread == NULL)
        return;
    if (was->thread->handlers.depth > was->depth)
        was->thread->handlers.depth = was->depth;
    lgi_local.inside = was->inside;
    lgi_local.self = lgi_up ? was->self : NULL;
}

static void delivered(int signal) {
    uint64_t bit = (uint64_t)1 << ((signal - 1) & 63);
    if ((atomic_load_explicit(&one_shot, memory_order_relaxed) & bit) != 0)
        lge_signal_installed(signal, LGE_NO_SLOT);
}

HANDLER_TEXT static void call_signal_handler(int signal, siginfo_t *info, void *context, uint32_t slot) {
    struct interrupted was;
    enter_handler(&was, signal, context, slot, (uintptr_t)__builtin_frame_address(0));
    delivered(signal);
    atomic_load_explicit(&programs[slot], memory_order_relaxed)(signal, info, context);
    leave_handler(&was);
}

/* ---- trampolines ---- */

#define EIGHT(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7)
#define ALL(M)      EIGHT(M, 0) EIGHT(M, 1) EIGHT(M, 2) EIGHT(M, 3) EIGHT(M, 4) EIGHT(M, 5) EIGHT(M, 6) EIGHT(M, 7)
#define TRAMPOLINE(n)                                                                                        \
    HANDLER_TEXT static void trampoline_##n(int signal, siginfo_t *info, void *context) {                    \
        call_signal_handler(signal, info, context, 0##n);                                                    \
    }
#define NAME(n) trampoline_##n,
ALL(TRAMPOLINE) /* numbered in octal */
static handler_function *const trampolines[SLOTS] = {ALL(NAME)};

/* Its slot from 1, or LGE_NO_SLOT. */
static uint32_t slot_of(handler_function *handler) {
    for (uint32_t i = 0; i < SLOTS; i++)
        if (trampolines[i] == handler)
            return i + 1;
    return LGE_NO_SLOT;
}

/* SIG_DFL, SIG_IGN, SIG_ERR and SIG_HOLD are no functions. */
static bool is_function(handler_function *handler) {
    return (uintptr_t)handler > 2 && handler != (handler_function *)(uintptr_t)SIG_ERR;
}

static handler_function *wrap(handler_function *handler) {
    if (!is_function(handler) || slot_of(handler) != LGE_NO_SLOT ||
        !lge_misuse_wanted(LGR_KIND_SIGNAL_UNSAFE))
        return handler;
    for (uint32_t i = 0; i < SLOTS; i++) {
        handler_function *there = NULL;
        if (atomic_compare_exchange_strong_explicit(&programs[i], &there, handler, memory_order_relaxed,
                                                    memory_order_relaxed) ||
            there == handler)
            return trampolines[i];
    }
    return handler;
}

static handler_function *unwrap(handler_function *handler) {
    uint32_t slot = slot_of(handler);
    return slot == LGE_NO_SLOT ? handler : atomic_load_explicit(&programs[slot - 1], memory_order_relaxed);
}

static void installed(int signal, handler_function *handler, int flags) {
    uint64_t bit = (uint64_t)1 << ((signal - 1) & 63);
    if ((flags & (int)SA_RESETHAND) != 0)
        atomic_fetch_or_explicit(&one_shot, bit, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&one_shot, ~bit, memory_order_relaxed);
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

void lgi_signal_start(void) {
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
