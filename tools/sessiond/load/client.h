/* Clients of all kinds on one epoll descriptor: ordinary ones that send what they are
 * given, slow ones, and subscribers to events.  One thread; no locks. */
#ifndef SD_LOAD_CLIENT_H
#define SD_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figures.h"
#include "mix.h"
#include "options.h"

struct clients;

struct clients *clients_create(const struct options *options, struct figures *figures);
void clients_destroy(struct clients *clients);
/* Begins a request of that user; false: no connection is free. */
bool clients_request(struct clients *clients, size_t user);
/* Events of all descriptors, for at most `ms`. */
void clients_wait(struct clients *clients, int ms);
/* Twenty times a second: slow clients go on, subscribers leave and come. */
void clients_tick(struct clients *clients);
/* Requests that wait for an answer; those that do for too long are counted as stuck. */
size_t clients_outstanding(struct clients *clients);
/* Nothing new is begun. */
void clients_finish(struct clients *clients);

#endif
