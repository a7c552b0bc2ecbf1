/* dlclose(3): code and static locks that go.  dlopen needs no hook: what is new is
 * looked up when it is first named. */
#include <dlfcn.h>

#include "engine/recorded_modules.h"
#include "engine/unloading.h"
#include "interpose/real.h"
#include "interpose/self.h"

/* Destructors of the module run in between, as any code of the program. */
LGI_EXPORT int dlclose(void *handle) {
    struct lge_thread *thread = lgi_enter();
    if (thread != NULL) {
        lge_modules_unloading();
        lge_recorded_modules_may_go(true);
        lgi_leave(thread);
    } else {
        lge_recorded_modules_may_go(false);
    }
    int result = lgi_real.dlclose(handle);
    lge_recorded_modules_stay();
    if (thread != NULL && lgi_enter() != NULL) {
        lge_modules_unloaded(thread);
        lgi_leave(thread);
    }
    return result;
}
