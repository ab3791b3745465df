// What stands in for node in the native test program: a lane that only counts, and libuv's wake-up.
#include <atomic>

#include "../../src/lane.h"

namespace dispatch_addon {

std::atomic<int> heldSum{0};
std::atomic<int> arrivals{0};

void Lane::hold(int by) { heldSum += by; }
void Lane::arrive(Arrival, uint32_t, napi_value, napi_value) { arrivals++; }

}  // namespace dispatch_addon

std::atomic<int> wakeups{0};

extern "C" int uv_async_send(uv_async_t*) {
  wakeups++;
  return 0;
}
