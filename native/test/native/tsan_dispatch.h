// ThreadSanitizer sees no synchronization inside of a library that was not built with it. compiler-rt tells it about
// libdispatch by intercepting the functions; a library that is loaded with dlopen passes that by, so the same is done
// here in the function table: an item happens after it was enqueued, and the items of a serial queue one after the
// other.
#pragma once

#include "../../src/queues/libdispatch.h"

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif

#if defined(WITH_TSAN)
#include <mutex>

extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);

namespace dispatch_addon {

struct Announced {
  Libdispatch::Queue queue;
  void* context;
  Libdispatch::Function function;
  bool serial;

  static Libdispatch& real() {
    static Libdispatch* table = new Libdispatch(*Libdispatch::find());
    return *table;
  }

  static void run(void* raw) {
    auto* item = static_cast<Announced*>(raw);
    __tsan_acquire(item);
    if (item->serial) __tsan_acquire(item->queue);
    item->function(item->context);
    if (item->serial) __tsan_release(item->queue);
    delete item;
  }

  static Announced* make(Libdispatch::Queue queue, void* context, Libdispatch::Function function, bool serial) {
    auto* item = new Announced{queue, context, function, serial};
    __tsan_release(item);
    return item;
  }
};

inline void announceDispatch() {
  auto& table = const_cast<Libdispatch&>(*Libdispatch::find());
  Announced::real();
  // Announcing a concurrent queue as serial would hide races between its items: only those named below are.
  table.asyncF = [](Libdispatch::Queue queue, void* context, Libdispatch::Function function) {
    const bool serial = Announced::real().queueGetLabel(queue)[0] == 's';
    Announced::real().asyncF(queue, Announced::make(queue, context, function, serial), Announced::run);
  };
  table.semaphoreSignal = [](Libdispatch::Object* semaphore) {
    __tsan_release(semaphore);
    return Announced::real().semaphoreSignal(semaphore);
  };
  table.semaphoreWait = [](Libdispatch::Object* semaphore, uint64_t until) {
    const intptr_t result = Announced::real().semaphoreWait(semaphore, until);
    __tsan_acquire(semaphore);
    return result;
  };
}

}  // namespace dispatch_addon
#else
namespace dispatch_addon {
inline void announceDispatch() {}
}  // namespace dispatch_addon
#endif
