#include "lane_root.h"

#include <unistd.h>

#if defined(__linux__)
#include <sys/eventfd.h>
#include <sys/syscall.h>
#else
#include <dlfcn.h>
#include <mach/mach.h>
#include <pthread.h>
#include <sys/event.h>
#endif

namespace dispatch_addon {
namespace {

// After this many items of a run-loop queue libuv has its turn. The main queue runs only the items that are there when
// the drain begins.
constexpr int kItemsPerDrain = 4096;

#if defined(__linux__)

bool isMainThread() { return syscall(SYS_gettid) == getpid(); }
int describe(intptr_t port) { return static_cast<int>(port); }
void undescribe(int) {}

#else

bool isMainThread() { return pthread_main_np() != 0; }

// libuv polls descriptors, macOS gives a Mach port: a kqueue that watches the port is a descriptor for it.
int describe(intptr_t answered) {
  // A Mach port has 32 bits; the rest of the register is undefined.
  const auto port = static_cast<uint32_t>(answered);
  const int queue = kqueue();
  if (queue < 0) return -1;
  struct kevent change;
  EV_SET(&change, port, EVFILT_MACHPORT, EV_ADD | EV_CLEAR, 0, 0, nullptr);
  if (kevent(queue, &change, 1, nullptr, 0, nullptr) == 0) return queue;
  close(queue);
  return -1;
}

void undescribe(int descriptor) { close(descriptor); }

#endif

}  // namespace

std::unique_ptr<LaneRoot> LaneRoot::create(const Libdispatch& dispatch) {
  if (isMainThread() && libdispatchReport().boundToMainThread) {
    const int descriptor = describe(dispatch.mainQueuePort());
    if (descriptor < 0) return nullptr;
    return std::unique_ptr<LaneRoot>(new LaneRoot(dispatch, dispatch.mainQueue, dispatch.mainQueue, true, descriptor));
  }
  // This is a Worker, or a Worker loaded libdispatch first and owns the main queue.
  if (!libdispatchReport().laneObstacle.empty()) return nullptr;
  Libdispatch::Queue base = dispatch.runloopQueueCreate("node-dispatch-addon.lane-root", 0);
  if (base == nullptr) return nullptr;
#if defined(__linux__)
  const int descriptor = dispatch.descriptorOf(base);
#else
  using Port = unsigned (*)(Libdispatch::Queue);
  const auto portOf = reinterpret_cast<Port>(dlsym(RTLD_DEFAULT, "_dispatch_runloop_root_queue_get_port_4CF"));
  const int descriptor = portOf == nullptr ? -1 : describe(portOf(base));
#endif
  if (descriptor < 0) {
    dispatch.release(base);
    return nullptr;
  }
  Libdispatch::Queue queue = dispatch.queueCreateWithTarget("node-dispatch-addon.lane", nullptr, base);
  return std::unique_ptr<LaneRoot>(new LaneRoot(dispatch, base, queue, false, descriptor));
}

LaneRoot::~LaneRoot() {
  undescribe(descriptor_);
  // libdispatch then unbinds the queue from this thread and runs the remaining items on its own threads, where they
  // find their lane closed and return. libdispatch also closes the descriptor.
  if (main_) return;
  dispatch_.release(queue_);
  dispatch_.release(base_);
}

void LaneRoot::acknowledge() {
#if defined(__linux__)
  eventfd_t count = 0;
  // A descriptor that is not readable is no error: drainLane() drains without a wake-up.
  (void)eventfd_read(descriptor_, &count);
#else
  struct kevent event;
  const timespec none{0, 0};
  if (kevent(descriptor_, nullptr, 0, &event, 1, &none) != 1) return;
  struct {
    mach_msg_header_t header;
    uint8_t rest[512];
  } message{};
  (void)mach_msg(&message.header, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(message),
                 static_cast<mach_port_t>(event.ident), 0, MACH_PORT_NULL);
#endif
}

void LaneRoot::drain() {
  // An item may drain again (a JavaScript callback that waits synchronously); libdispatch's main queue ignores that
  // too.
  if (draining_) return;
  draining_ = true;
  // Before the drain, because a push during it must wake again.
  acknowledge();
  if (main_) {
    dispatch_.mainQueueCallback(nullptr);
  } else {
    int left = kItemsPerDrain;
    while (dispatch_.runloopQueuePerform(base_)) {
      if (--left > 0) continue;
      dispatch_.runloopQueueWakeup(base_);
      break;
    }
  }
  draining_ = false;
}

}  // namespace dispatch_addon
