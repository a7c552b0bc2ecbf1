/* The few of glibc's internal atomic operations that its tests use. */
#define atomic_load_relaxed(place)         __atomic_load_n(place, __ATOMIC_RELAXED)
#define atomic_store_relaxed(place, value) __atomic_store_n(place, value, __ATOMIC_RELAXED)
