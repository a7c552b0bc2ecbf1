/* lg_operation: include/lockgraph/operation.h. */
#include "lockgraph/operation.h"

#include <errno.h>
#include <stddef.h>

#include "engine/operation.h"
#include "interpose/self.h"

LGI_EXPORT int lg_operation(const char *name) {
    if (name == NULL || name[0] == '\0')
        return EINVAL;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return 0;
    bool begun = lge_operation_begin(thread, name);
    lgi_leave(thread);
    return begun ? 0 : ENOMEM;
}

LGI_EXPORT void lg_operation_end(void) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    lge_operation_end(thread);
    lgi_leave(thread);
}
