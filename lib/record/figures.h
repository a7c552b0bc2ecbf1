/* How the locks of a class, or the waits for them at one place, were used: counted,
 * and timed in histograms.  The same in the runtime, in the evidence file and in
 * the command.
 *
 * Bucket i of a histogram counts the times that are longer than the edge before and
 * not longer than its own, 2^(6 + i) nanoseconds (64 ns, 128 ns, … 68.7 s): a time
 * that is exactly an edge belongs to the bucket that ends with it.  The last bucket
 * has no edge.
 *
 * A field has one writer at a time, or is only added to by atomics; readers see each
 * field whole, and not all of them of one moment. */
#ifndef LOCKGRAPH_RECORD_FIGURES_H
#define LOCKGRAPH_RECORD_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LGR_BUCKETS 32u
enum { LGR_FIRST_EDGE = 6 };

struct lgr_times {
    uint64_t total_ns;
    uint64_t max_ns;
    uint64_t buckets[LGR_BUCKETS];
};
struct lgr_figures {
    uint64_t contended;     /* acquisitions that had to wait; those that still do, too */
    uint64_t owner_changes; /* of these, by another thread than the one that waited for that lock before */
    uint64_t waiters_max;   /* threads that waited at once, for any lock of the class */
    struct lgr_times wait;  /* waits that ended */
    struct lgr_times hold;  /* holds that ended; nothing unless they were measured */
    uint64_t estimated;     /* of these, not timed: another one stands for each */
};

static inline unsigned lgr_bucket(uint64_t ns) {
    uint64_t below = ns - (ns != 0);
    unsigned bits = 64 - (unsigned)__builtin_clzll(below | ((1u << LGR_FIRST_EDGE) - 1));
    unsigned bucket = bits - LGR_FIRST_EDGE;
    return bucket < LGR_BUCKETS ? bucket : LGR_BUCKETS - 1;
}
/* UINT64_MAX: the last has none. */
static inline uint64_t lgr_bucket_edge(unsigned bucket) {
    return bucket + 1 < LGR_BUCKETS ? UINT64_C(1) << (LGR_FIRST_EDGE + bucket) : UINT64_MAX;
}

static inline uint64_t lgr_figure(const uint64_t *figure) {
    return __atomic_load_n(figure, __ATOMIC_RELAXED);
}

/* The only writer; `more` of them that lasted `ns` each.  The new number of times in
 * their bucket. */
static inline uint64_t lgr_times_note_many(struct lgr_times *times, uint64_t ns, uint64_t more) {
    uint64_t *bucket = &times->buckets[lgr_bucket(ns)];
    uint64_t count = lgr_figure(bucket) + more;
    __atomic_store_n(bucket, count, __ATOMIC_RELAXED);
    __atomic_store_n(&times->total_ns, lgr_figure(&times->total_ns) + ns * more, __ATOMIC_RELAXED);
    if (ns > lgr_figure(&times->max_ns))
        __atomic_store_n(&times->max_ns, ns, __ATOMIC_RELAXED);
    return count;
}
static inline uint64_t lgr_times_note(struct lgr_times *times, uint64_t ns) {
    return lgr_times_note_many(times, ns, 1);
}

static inline void lgr_raise(uint64_t *figure, uint64_t to) {
    uint64_t now = lgr_figure(figure);
    while (now < to &&
           !__atomic_compare_exchange_n(figure, &now, to, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

/* Any number of writers. */
static inline void lgr_times_note_shared(struct lgr_times *times, uint64_t ns) {
    __atomic_fetch_add(&times->buckets[lgr_bucket(ns)], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&times->total_ns, ns, __ATOMIC_RELAXED);
    lgr_raise(&times->max_ns, ns);
}

static inline uint64_t lgr_times_count(const struct lgr_times *times) {
    uint64_t count = 0;
    for (unsigned i = 0; i < LGR_BUCKETS; i++)
        count += lgr_figure(&times->buckets[i]);
    return count;
}

/* The sum; its only writer. */
static inline void lgr_times_add(struct lgr_times *sum, const struct lgr_times *more) {
    sum->total_ns += lgr_figure(&more->total_ns);
    uint64_t most = lgr_figure(&more->max_ns);
    sum->max_ns = most > sum->max_ns ? most : sum->max_ns;
    for (unsigned i = 0; i < LGR_BUCKETS; i++)
        sum->buckets[i] += lgr_figure(&more->buckets[i]);
}
static inline void lgr_figures_add(struct lgr_figures *sum, const struct lgr_figures *more) {
    uint64_t waiters = lgr_figure(&more->waiters_max);
    sum->contended += lgr_figure(&more->contended);
    sum->owner_changes += lgr_figure(&more->owner_changes);
    sum->waiters_max = waiters > sum->waiters_max ? waiters : sum->waiters_max;
    lgr_times_add(&sum->wait, &more->wait);
    lgr_times_add(&sum->hold, &more->hold);
    sum->estimated += lgr_figure(&more->estimated);
}

/* Of the times at least `percent` in a hundred are not longer than this, which is the
 * edge of a bucket, or the longest of all if that is less; 0: there are none. */
static inline uint64_t lgr_times_quantile(const struct lgr_times *times, unsigned percent) {
    uint64_t count = lgr_times_count(times), wanted = (count * percent + 99) / 100, seen = 0;
    uint64_t most = lgr_figure(&times->max_ns);
    for (unsigned i = 0; i < LGR_BUCKETS && count != 0; i++) {
        seen += lgr_figure(&times->buckets[i]);
        if (seen >= wanted)
            return lgr_bucket_edge(i) < most ? lgr_bucket_edge(i) : most;
    }
    return 0;
}

#endif
