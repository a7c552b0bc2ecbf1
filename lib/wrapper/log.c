/* lg_log_to: include/lockgraph/log.h. */
#include "interpose/log_callback.h"
#include "interpose/self.h"

LGI_EXPORT void lg_log_to(lg_log_callback *callback, void *user) { lgi_log_callback(callback, user); }
