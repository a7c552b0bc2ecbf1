/* dl_iterate_phdr(3): the program's calls are libc's; those of the unwinder that
 * works for us are answered without the loader's lock (platform/unwind.h). */
#include "interpose/real.h"
#include "interpose/self.h"
#include "platform/unwind.h"

LGI_EXPORT int dl_iterate_phdr(lgp_object_callback *callback, void *data) {
    int result;
    if (lgp_unwind_iterate(callback, data, &result))
        return result;
    return lgi_real.iterate_objects(callback, data);
}
