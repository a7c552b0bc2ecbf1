/* Writing OpenMetrics text: a family, then its samples; the page ends it with
 * sd_openmetrics_end.  No locks.  Names get the prefix "sessiond_". */
#ifndef SD_OPENMETRICS_H
#define SD_OPENMETRICS_H

#include <stdint.h>

#include "histogram.h"
#include "text.h"

enum sd_family { SD_COUNTER, SD_GAUGE, SD_SUMMARY };

void sd_openmetrics_family(struct sd_text *text, enum sd_family type, const char *name, const char *help);
/* `labels` as `kind="database"`, or "".  A counter's sample gets its _total here. */
void sd_openmetrics_sample(struct sd_text *text, enum sd_family type, const char *name, const char *labels,
                           double value);
/* _count, _sum and the three quantiles in seconds. */
void sd_openmetrics_summary(struct sd_text *text, const char *name, const char *labels,
                            const struct sd_histogram *histogram);
void sd_openmetrics_end(struct sd_text *text);

#endif
