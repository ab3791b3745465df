// What stands in for node in the native test program: libuv's wake-up. Nothing else of node is used there.
#include <uv.h>

#include <atomic>

std::atomic<int> wakeups{0};

extern "C" int uv_async_send(uv_async_t*) {
  wakeups++;
  return 0;
}
