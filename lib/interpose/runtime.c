#include "interpose/runtime.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/check.h"
#include "engine/declared.h"
#include "engine/engine.h"
#include "engine/evidence.h"
#include "engine/file_lock.h"
#include "engine/finding.h"
#include "engine/identity.h"
#include "engine/usage.h"
#include "interpose/blocking.h"
#include "interpose/company.h"
#include "interpose/cond_order.h"
#include "interpose/file.h"
#include "interpose/finding_callback.h"
#include "interpose/finding_text.h"
#include "interpose/fork.h"
#include "interpose/lock_log.h"
#include "interpose/mutex.h"
#include "interpose/mutex_fast.h"
#include "interpose/on_deadlock.h"
#include "interpose/once.h"
#include "interpose/once_runner.h"
#include "interpose/profile.h"
#include "interpose/real.h"
#include "interpose/rwlock.h"
#include "interpose/rwlock_wait.h"
#include "interpose/self.h"
#include "interpose/sem.h"
#include "interpose/signal.h"
#include "interpose/spin.h"
#include "interpose/wait_slices.h"
#include "platform/memory.h"
#include "platform/modules.h"
#include "platform/options.h"
#include "platform/print.h"
#include "platform/system.h"
#include "platform/unwind.h"
#include "record/handed_over.h"
#include "record/saved_order.h"
#include "record/told.h"
#include "record/writer.h"
#include "wrapper/call.h"
#include "wrapper/tsan.h"

/* Written by the constructor, read by anybody after it. */
static struct lgp_options options;

/* ---- start ---- */

static void load_options(void) {
    enum { ERROR_SIZE = 512 };
    char buffer[ERROR_SIZE];
    struct lgp_text error = {buffer, sizeof buffer, 0};
    if (!lgp_options_load(&options, &error))
        lgp_warn("%s", buffer);
    if (!options.help)
        return;
    char *text = lgp_alloc(LGP_OPTIONS_TEXT_SIZE);
    if (text == NULL)
        return;
    struct lgp_text help = {text, LGP_OPTIONS_TEXT_SIZE, 0};
    lgp_options_help(&options, &help);
    lgp_write(help.buffer, help.length);
    lgp_free(text, LGP_OPTIONS_TEXT_SIZE);
}

static uint8_t severity(enum lgp_check check) {
    switch (options.check[check]) {
    case LGP_CHECK_OFF:
        return 255;
    case LGP_CHECK_NOTE:
        return LGR_NOTE;
    case LGP_CHECK_WARNING:
        return LGR_WARNING;
    case LGP_CHECK_ERROR:
        return LGR_ERROR;
    default:
        return 0;
    }
}

/* Checks stand in the order of the kinds, which count from 1. */
_Static_assert(LGP_CHECK_ORDER_CYCLE + 1 == LGR_KIND_ORDER_CYCLE && LGP_CHECK_COUNT + 1 == LGR_KINDS &&
                   LGP_CHECK_JOIN_SELF + 1 == LGR_KIND_JOIN_SELF && LGP_CHECK_USER + 1 == LGR_KIND_USER,
               "a check without its kind");

/* What the side table holds is alive until it is destroyed or reused. */
static bool lock_alive(const void *address, uint64_t id, uint8_t kind, uint8_t attributes) {
    if (kind == LGR_LOCK_MUTEX)
        return lgi_mutex_alive(address, id, attributes);
    if (kind == LGR_LOCK_RWLOCK)
        return lgi_rwlock_alive(address, id, attributes);
    if (kind == LGR_LOCK_SEMAPHORE)
        return lgi_sem_alive(address, id, attributes);
    if (kind == LGR_LOCK_FILE)
        return lge_file_lock_alive(id);
    return lge_identity_table_has(address, id);
}

static void tell(const struct lge_finding *finding, void *user) {
    (void)user;
    if (!finding->recorded)
        lgr_told_unwritten(finding->severity);
    lgi_print_finding(finding, &options.launcher);
    lgi_finding_note(finding);
}

/* A least above the most is the most; "none" is a millisecond, and the longest there
 * is. */
static struct lge_adaptive_limits adaptive_limits(void) {
    enum { MILLISECOND = 1000000, PERCENT = 100 };
    struct lge_adaptive_limits limits = {0};
    if (!options.adaptive)
        return limits;
    limits.factor_percent = options.adaptive_factor * PERCENT;
    limits.most_ms = options.adaptive_max == 0 ? INT32_MAX : (uint32_t)(options.adaptive_max / MILLISECOND);
    limits.least_ms = options.adaptive_min == 0 ? 1 : (uint32_t)(options.adaptive_min / MILLISECOND);
    return limits;
}

/* Said once, by the process that misses it: an order that is not looked at must not
 * pass for one that is kept. */
static void load_order(void) {
    static struct lgr_order order;
    const char *saved = lgr_saved_order_path(options.order);
    bool opened = lgr_order_open(&order, options.order);
    if (!opened && saved != NULL)
        lgp_warn(
            "the declared order in %s cannot be read, and is not checked in this process; `lockgraph env "
            "--order` writes it",
            saved);
    else if (!opened)
        lgp_warn(
            "the declared order of `lockgraph run` cannot be read here, and is not checked in this process");
    lge_declared_start(order.header != NULL ? &order : NULL);
}

static void start_engine(void) {
    struct lge_config config = {
        .max_memory = options.max_memory,
        .search_budget = options.search_budget,
        .stack_depth = options.stack_depth,
        .recording = true,
        .on_finding = tell,
        .lock_alive = lock_alive,
        .shut_out = lgi_rwlock_shut_out,
        .runs_once = lgi_once_runner,
        .inside_once = lgi_once_inside,
        .wait_limit_ns = options.lock_timeout,
        .on_overdue = lgi_log_overdue,
        .hold_limit_ns = options.hold_limit,
        .hold_limit_shared_ns = options.hold_limit_shared,
        .timeline_ns = options.timeline,
        .on_overlong = lgi_log_overlong,
        .on_traced = options.log == LGP_LOG_DEBUG ? lgi_log_traced : NULL,
        .profile = options.profile,
        .adaptive = adaptive_limits(),
        .on_adapted = lgi_log_adapted,
        .company = lgi_company,
        .exhausted = lgi_sem_exhausted,
        .last_signal = lgi_condition_last_signal,
    };
    for (int check = 0; check < LGP_CHECK_COUNT; check++)
        config.severity_of_kind[check + 1] = severity((enum lgp_check)check);
    lge_start(&config);
}

void lgi_open_evidence(void) {
    char *text = lgp_alloc(LGP_OPTIONS_TEXT_SIZE);
    if (text == NULL)
        return;
    struct lgp_text effective = {text, LGP_OPTIONS_TEXT_SIZE, 0};
    lgp_options_effective(&options, &effective);
    struct lgr_writer_options writer = {
        .directory = options.data, .max_data = options.max_data, .run = lgr_handed_key(options.told)};
    if (!lgr_writer_open(&writer, text))
        lgr_told_unrecorded();
    lgp_free(text, LGP_OPTIONS_TEXT_SIZE);
    lge_evidence_new_file();
}

/* ---- end ---- */

void lgi_write_figures(void) {
    struct lge_figures figures;
    if (!lgr_writer_is_own())
        return;
    lge_figures(&figures);
    struct lgr_header *header = lgr_writer_header();
    atomic_store_explicit(&header->locks, figures.locks, memory_order_relaxed);
    atomic_store_explicit(&header->threads, figures.threads, memory_order_relaxed);
    atomic_store_explicit(&header->nested_acquisitions, figures.nested, memory_order_relaxed);
    atomic_store_explicit(&header->unwrapped, figures.unwrapped, memory_order_relaxed);
    atomic_store_explicit(&header->contended, figures.contended, memory_order_relaxed);
    atomic_store_explicit(&header->instance_edges, figures.edges, memory_order_relaxed);
    atomic_fetch_or_explicit(&header->degraded, (uint32_t)figures.degraded, memory_order_relaxed);
}

static void print_verdict(void) {
    struct lge_figures figures;
    lge_figures(&figures);
    if (options.launcher || !options.verdict || (figures.findings == 0 && figures.threads < 2))
        return;
    lgp_warn("%lu problem%s found (%lu error%s); %lu locks, %lu threads, %lu nested acquisitions; %s",
             (unsigned long)figures.findings, figures.findings == 1 ? "" : "s",
             (unsigned long)lge_findings_errors(), lge_findings_errors() == 1 ? "" : "s",
             (unsigned long)figures.locks, (unsigned long)figures.threads, (unsigned long)figures.nested,
             lgr_writer_on() ? "`lockgraph report` tells more" : "no evidence was recorded");
}

/* Only this much is safe once a handler left the runtime half-way. */
static void finish_left(enum lgr_end how, int status) {
    atomic_fetch_or_explicit(&lgr_writer_header()->degraded, LGR_DEGRADED_LEFT, memory_order_relaxed);
    lgr_writer_finish(how, status);
}

static bool finished;

/* Once: the exit handler and the destructor may both come by. */
static void finish(enum lgr_end how, int status) {
    if (finished)
        return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL && (lge_degraded() & LGR_DEGRADED_LEFT) != 0)
        finish_left(how, status);
    if (thread == NULL)
        return;
    finished = true;
    lge_finish();
    lge_evidence_lock_figures();
    lge_usages_write();
    lgi_write_figures();
    lgr_writer_finish(how, status);
    print_verdict();
    lgi_leave(thread);
}

/* Runs after the program's own exit handlers: ours was registered first. */
static void at_exit(int status, void *argument) {
    (void)argument;
    finish(LGR_EXITED, status);
    if (options.exitcode != 0 && lge_findings_errors() != 0 && status != options.exitcode)
        exit(options.exitcode);
}

/* First of all constructors that may choose: others may create threads. */
__attribute__((constructor(101))) static void start(void) {
    int saved = errno;
    lgi_real_start();
    lgp_modules_start();
    lgp_log_start();
    load_options();
    lgi_log_start(options.log, options.log_to);
    lgi_all_slow = options.log == LGP_LOG_DEBUG || options.hold_limit != 0 ||
                   options.hold_limit_shared != 0 || options.timeline != 0;
    lgi_profile_start(options.profile, options.adaptive, options.profile_exact);
    lgp_unwind_start(options.unwinder);
    lgi_fast_start();
    lgi_slices_configure(options.wait_slice);
    lgi_mutex_start(options.identity == LGP_IDENTITY_TAG);
    lgi_rwlock_start(options.identity == LGP_IDENTITY_TAG);
    lgi_spin_start();
    lgi_sem_start(options.identity == LGP_IDENTITY_TAG);
    lgi_once_start();
    lgi_on_deadlock_start(options.on_deadlock);
    lgw_tsan_start();
    lgw_start((enum lg_policy)(LG_REPORT + (int)options.on_violation));
    load_order();
    start_engine();
    lgr_told_open(options.told);
    lgr_told_loaded();
    lgi_open_evidence();
    on_exit(at_exit, NULL);
    lgi_fork_start();
    lgi_signal_start();
    lgi_self_start();
    lgi_files_start(options.file_locks);
    lgi_blocking_start(options.blocked_limit);
    lgi_up = true;
    struct lge_thread *main_thread = lgi_enter();
    if (main_thread != NULL)
        lgi_leave(main_thread);
    errno = saved;
}
