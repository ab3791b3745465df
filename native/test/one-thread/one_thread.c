/* A library with thread affinity, as many are: it remembers the first thread that calls it and ends the process
 * when another one does. It stands for GUI toolkits, database handles and interpreters with thread-local state. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_t owner;
static long calls;

static void remember(void) { owner = pthread_self(); }

long one_thread_add(long by) {
  pthread_once(&once, remember);
  if (!pthread_equal(owner, pthread_self())) {
    fputs("one_thread: called from a second thread\n", stderr);
    abort();
  }
  calls += by;
  return calls;
}
