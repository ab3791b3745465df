// What stands in for node in the native test program: libuv's wake-up and its threads. Nothing else of node is used.
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <uv.h>

#include <atomic>

std::atomic<int> wakeups{0};
// As on a system that has no thread left.
std::atomic<bool> refuseThreads{false};

struct Started {
  uv_thread_cb entry;
  void* argument;
};

static void* run(void* context) {
  const Started started = *static_cast<Started*>(context);
  delete static_cast<Started*>(context);
  started.entry(started.argument);
  return nullptr;
}

extern "C" {

int uv_async_send(uv_async_t*) {
  wakeups++;
  return 0;
}

int uv_thread_create(uv_thread_t* thread, uv_thread_cb entry, void* argument) {
  if (refuseThreads) return EAGAIN;
  return pthread_create(thread, nullptr, run, new Started{entry, argument});
}
int uv_thread_join(uv_thread_t* thread) { return pthread_join(*thread, nullptr); }
const char* uv_strerror(int error) { return strerror(error); }
}
