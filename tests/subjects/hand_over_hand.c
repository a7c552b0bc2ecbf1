/* Two threads walk a list of a thousand nodes hand over hand, in one direction.
 *
 * silent
 */
#include <pthread.h>

enum { COUNT = 1000 };
static struct node {
    pthread_mutex_t mutex;
    int visits;
} nodes[COUNT];

static void *walk(void *unused) {
    for (int pass = 0; pass < 5; pass++) {
        pthread_mutex_lock(&nodes[0].mutex);
        for (int i = 0; i + 1 < COUNT; i++) {
            pthread_mutex_lock(&nodes[i + 1].mutex);
            nodes[i].visits++;
            pthread_mutex_unlock(&nodes[i].mutex);
        }
        pthread_mutex_unlock(&nodes[COUNT - 1].mutex);
    }
    return unused;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < COUNT; i++)
        pthread_mutex_init(&nodes[i].mutex, NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, walk, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return nodes[0].visits == 10 ? 0 : 1;
}
