/* Nodes of one tree type, all made by one constructor, which is called from two
 * places.  Everybody locks the parent before the child, and no lock is ever taken
 * the other way round; who made which differs from tree to tree.
 *
 * silent
 * near: order-cycle
 * note: order-cycle class-pattern
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

struct node {
    pthread_mutex_t lock;
    struct node *child;
};
static struct node *trees[2];

__attribute__((noinline)) static struct node *node_new(void) {
    struct node *made = calloc(1, sizeof *made);
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

__attribute__((noinline)) static struct node *node_read(void) {
    struct node *made = node_new();
    made->child = NULL;
    return made;
}

__attribute__((noinline)) static struct node *node_split(void) {
    struct node *made = node_new();
    made->child = NULL;
    return made;
}

static void walk(struct node *parent) {
    pthread_mutex_lock(&parent->lock);
    pthread_mutex_lock(&parent->child->lock);
    pthread_mutex_unlock(&parent->child->lock);
    pthread_mutex_unlock(&parent->lock);
}

static void *first(void *unused) {
    await_turn(1);
    walk(trees[0]);
    next_turn();
    return unused;
}

static void *second(void *unused) {
    await_turn(2);
    walk(trees[1]);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    struct node *(*const makers[])(void) = {node_read, node_split, node_split, node_read};
    struct node *made[4];
    for (int i = 0; i < 4; i++)
        made[i] = makers[i]();
    for (int i = 0; i < 2; i++) {
        trees[i] = made[2 * i];
        trees[i]->child = made[2 * i + 1];
    }
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    next_turn();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
