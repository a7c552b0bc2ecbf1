/* Who but the known threads could end a wait: see lge_config.company. */
#ifndef LOCKGRAPH_INTERPOSE_COMPANY_H
#define LOCKGRAPH_INTERPOSE_COMPANY_H

#include "engine/engine.h"

enum lge_company lgi_company(const struct lge_sleeper *sleepers, size_t count);
/* Something may end waits that nobody will notice: from now on there is always
 * company. */
void lgi_company_for_good(void);

#endif
