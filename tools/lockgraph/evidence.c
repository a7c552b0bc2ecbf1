#include "evidence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "exit_code.h"
#include "inputs.h"
#include "output.h"
#include "text.h"

struct model *evidence_load(struct pool *pool, int count, char **operands,
                            const struct model_options *options, int *status) {
    struct path_list inputs = {0};
    if (!inputs_gather(pool, count, operands, &inputs))
        *status = EXIT_UNREADABLE;
    if (inputs.count == 0)
        return NULL;
    struct model *model = model_load(inputs.paths, inputs.count, options);
    if (model->unreadable)
        *status = EXIT_UNREADABLE;
    for (size_t i = 0; i < model->unreadable; i++)
        complain("%s", model->unreadable_why[i]);
    if (model->process_count)
        return model;
    model_free(model);
    return NULL;
}

int evidence_print(struct text *out, int status) {
    if (!output_write(out, NULL, "we")) {
        complain("cannot write what was found: %s", strerror(errno));
        status = EXIT_INTERNAL;
    }
    text_free(out);
    return status;
}
