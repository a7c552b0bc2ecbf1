/* The signals that glibc keeps for itself (signal(7), nptl(7)). */
#define SIGCANCEL __SIGRTMIN
#define SIGTIMER  SIGCANCEL
#define SIGSETXID (__SIGRTMIN + 1)
