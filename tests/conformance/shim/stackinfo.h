/* Direction and protection of stacks on the machines that the runtime is for. */
#include <elf.h>

#define _STACK_GROWS_DOWN   1
#define _STACK_GROWS_UP     0
#define DEFAULT_STACK_PERMS (PF_R | PF_W)
