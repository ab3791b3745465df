#include "libdispatch.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <chrono>
#include <mutex>

#include "elf_file.h"

#if defined(__linux__)
#include <poll.h>
#include <sys/syscall.h>
#else
#include <pthread.h>
#endif

namespace dispatch_addon {
namespace {

using Clock = std::chrono::steady_clock;

struct State {
  Libdispatch table{};
  LibdispatchReport report;
};

// Never destroyed: libdispatch's threads outlive static destructors.
State& state() {
  static State* one = new State();
  return *one;
}

bool onMainThread() {
#if defined(__linux__)
  return syscall(SYS_gettid) == getpid();
#else
  return pthread_main_np() != 0;
#endif
}

template <typename Slot>
void fill(void* library, Slot& slot, const char* name, std::string& missing) {
  slot = reinterpret_cast<Slot>(dlsym(library, name));
  if (slot == nullptr && missing.empty()) missing = name;
}

std::string fillTable(void* library, Libdispatch& t) {
  std::string missing;
  fill(library, t.retain, "dispatch_retain", missing);
  fill(library, t.release, "dispatch_release", missing);
  fill(library, t.suspend, "dispatch_suspend", missing);
  fill(library, t.resume, "dispatch_resume", missing);
  fill(library, t.activate, "dispatch_activate", missing);
  fill(library, t.setContext, "dispatch_set_context", missing);
  fill(library, t.getContext, "dispatch_get_context", missing);
  fill(library, t.setFinalizer, "dispatch_set_finalizer_f", missing);
  fill(library, t.setTargetQueue, "dispatch_set_target_queue", missing);
  // Headers give this one a second name, because it differs from dispatch_queue_create in what it retains.
  std::string either;
  fill(library, t.queueCreateWithTarget, "dispatch_queue_create_with_target$V2", either);
  if (t.queueCreateWithTarget == nullptr) {
    fill(library, t.queueCreateWithTarget, "dispatch_queue_create_with_target", missing);
  }
  fill(library, t.queueGetLabel, "dispatch_queue_get_label", missing);
  fill(library, t.attributeWithQos, "dispatch_queue_attr_make_with_qos_class", missing);
  fill(library, t.attributeInitiallyInactive, "dispatch_queue_attr_make_initially_inactive", missing);
  fill(library, t.globalQueue, "dispatch_get_global_queue", missing);
  fill(library, t.asyncF, "dispatch_async_f", missing);
  fill(library, t.barrierAsyncF, "dispatch_barrier_async_f", missing);
  fill(library, t.afterF, "dispatch_after_f", missing);
  fill(library, t.applyF, "dispatch_apply_f", missing);
  fill(library, t.queueSetSpecific, "dispatch_queue_set_specific", missing);
  fill(library, t.queueGetSpecific, "dispatch_queue_get_specific", missing);
  fill(library, t.getSpecific, "dispatch_get_specific", missing);
  fill(library, t.groupCreate, "dispatch_group_create", missing);
  fill(library, t.groupEnter, "dispatch_group_enter", missing);
  fill(library, t.groupLeave, "dispatch_group_leave", missing);
  fill(library, t.groupNotifyF, "dispatch_group_notify_f", missing);
  fill(library, t.sourceCreate, "dispatch_source_create", missing);
  fill(library, t.sourceSetEventHandlerF, "dispatch_source_set_event_handler_f", missing);
  fill(library, t.sourceSetCancelHandlerF, "dispatch_source_set_cancel_handler_f", missing);
  fill(library, t.sourceCancel, "dispatch_source_cancel", missing);
  fill(library, t.sourceMergeData, "dispatch_source_merge_data", missing);
  fill(library, t.sourceGetData, "dispatch_source_get_data", missing);
  fill(library, t.sourceSetTimer, "dispatch_source_set_timer", missing);
  fill(library, t.semaphoreCreate, "dispatch_semaphore_create", missing);
  fill(library, t.semaphoreSignal, "dispatch_semaphore_signal", missing);
  fill(library, t.semaphoreWait, "dispatch_semaphore_wait", missing);
  fill(library, t.time, "dispatch_time", missing);
  fill(library, t.mainQueuePort, "_dispatch_get_main_queue_port_4CF", missing);
  fill(library, t.mainQueueCallback, "_dispatch_main_queue_callback_4CF", missing);
  fill(library, t.runloopQueueCreate, "_dispatch_runloop_root_queue_create_4CF", missing);
  fill(library, t.runloopQueuePerform, "_dispatch_runloop_root_queue_perform_4CF", missing);
  fill(library, t.runloopQueueWakeup, "_dispatch_runloop_root_queue_wakeup_4CF", missing);
  fill(library, t.mainQueue, "_dispatch_main_q", missing);
  fill(library, t.concurrent, "_dispatch_queue_attr_concurrent", missing);
  fill(library, t.typeTimer, "_dispatch_source_type_timer", missing);
  fill(library, t.typeRead, "_dispatch_source_type_read", missing);
  fill(library, t.typeWrite, "_dispatch_source_type_write", missing);
  fill(library, t.typeDataAdd, "_dispatch_source_type_data_add", missing);
  fill(library, t.typeDataOr, "_dispatch_source_type_data_or", missing);
  fill(library, t.typeDataReplace, "_dispatch_source_type_data_replace", missing);
  return missing;
}

struct RoundTrip {
  const Libdispatch* table;
  Libdispatch::Object* done;
};

// From this thread through a serial queue to a worker thread and back. A library that fails this is refused, because
// everything else would hang. The timeout is long because a busy machine may not schedule a new thread for seconds, and
// a good library would then be refused.
constexpr int64_t kRoundTripTimeoutSeconds = 20;

bool roundTrip(const Libdispatch& t, double& us) {
  constexpr int64_t kTimeoutNs = kRoundTripTimeoutSeconds * 1'000'000'000;
  auto* trip = new RoundTrip{&t, t.semaphoreCreate(0)};
  Libdispatch::Queue global = t.globalQueue(0, 0);
  if (trip->done == nullptr || global == nullptr) return false;
  Libdispatch::Queue queue = t.queueCreateWithTarget("node-dispatch-addon.self-test", nullptr, global);
  if (queue == nullptr) return false;
  for (int turn = 0; turn < 2; turn++) {
    const auto begin = Clock::now();
    t.asyncF(queue, trip, [](void* context) {
      auto* one = static_cast<RoundTrip*>(context);
      one->table->semaphoreSignal(one->done);
    });
    // After a timeout the trip is leaked, because the function may still run.
    if (t.semaphoreWait(trip->done, t.time(kNow, kTimeoutNs)) != 0) return false;
    us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  }
  t.release(queue);
  t.release(trip->done);
  delete trip;
  return true;
}

#if defined(__linux__)
bool readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

// Finds where objects keep their context by setting one through the public function, then checks on a run-loop queue
// that the descriptor kept there becomes readable by a push. So nothing about the library's layout is assumed, only
// tested.
std::string findContextIndex(Libdispatch& t) {
  constexpr size_t kWordsSearched = 12;
  Libdispatch::Queue probe = t.queueCreateWithTarget("node-dispatch-addon.probe", nullptr, t.globalQueue(0, 0));
  int marker = 0;
  t.setContext(probe, &marker);
  size_t found = 0;
  for (size_t word = 1; word < kWordsSearched && found == 0; word++) {
    if (reinterpret_cast<void**>(probe)[word] == &marker) found = word;
  }
  t.setContext(probe, nullptr);
  t.release(probe);
  if (found == 0) return "its objects do not keep their context where it could be found";
  t.contextIndex = found;

  Libdispatch::Queue root = t.runloopQueueCreate("node-dispatch-addon.probe", 0);
  const int descriptor = t.descriptorOf(root);
  std::string obstacle;
  if (descriptor < 0 || readable(descriptor)) {
    obstacle = "its run-loop queues do not tell their descriptor";
  } else {
    int ran = 0;
    t.asyncF(root, &ran, [](void* context) { ++*static_cast<int*>(context); });
    if (!readable(descriptor)) obstacle = "a push on a run-loop queue does not wake its descriptor";
    t.runloopQueuePerform(root);
    if (ran != 1) obstacle = "a run-loop queue does not run what was pushed";
  }
  t.release(root);
  return obstacle;
}
#else
std::string findContextIndex(Libdispatch&) { return ""; }
#endif

std::string ownFolder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&libdispatchReport), &info) == 0 || info.dli_fname == nullptr) return "";
  char resolved[PATH_MAX];
  if (realpath(info.dli_fname, resolved) == nullptr) return "";
  // native/build/Release/x.node and native/prebuilds/linux-x64/x.node both lie three levels below the package.
  std::string path(resolved);
  for (int level = 0; level < 3; level++) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return "";
    path.resize(slash);
  }
  return path;
}

std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  const char* chosen = getenv("SPIMPL_LIBDISPATCH");
  if (chosen != nullptr && *chosen != '\0') paths.push_back(chosen);
#if defined(__APPLE__)
  paths.push_back("/usr/lib/system/libdispatch.dylib");
#else
  paths.push_back(ownFolder() + "/vendor/libdispatch.so");
  paths.push_back("libdispatch.so");
  paths.push_back("libdispatch.so.0");
  paths.push_back("/usr/libexec/swift/lib/swift/linux/libdispatch.so");
  paths.push_back("/usr/lib/swift/linux/libdispatch.so");
  paths.push_back("/opt/swift/usr/lib/swift/linux/libdispatch.so");
#endif
  return paths;
}

bool accept(const std::string& candidate) {
  State& one = state();
  const auto refuse = [&](const std::string& reason) {
    one.report.refused.push_back(candidate + ": " + reason);
    return false;
  };
  // The system searches its own folders for a name without a slash.
  if (candidate.find('/') != std::string::npos) {
    const std::string obstacle = elfObstacle(candidate);
    if (!obstacle.empty()) return refuse(obstacle);
  }
  // RTLD_NODELETE: the library's threads never end, so its code must stay mapped.
  void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* said = dlerror();
    std::string text = said != nullptr ? said : "dlopen refused";
    // Most messages begin with the path, which `refuse` adds.
    if (text.compare(0, candidate.size() + 2, candidate + ": ") == 0) text.erase(0, candidate.size() + 2);
    return refuse(text);
  }
  one.report.boundToMainThread = onMainThread();
  const std::string missing = fillTable(library, one.table);
  if (!missing.empty()) return refuse("has no " + missing);
  if (!roundTrip(one.table, one.report.roundTripUs)) {
    return refuse("no round trip through a worker thread within " + std::to_string(kRoundTripTimeoutSeconds) + " s");
  }
  one.report.laneObstacle = findContextIndex(one.table);
  Dl_info info;
  const bool known = dladdr(reinterpret_cast<void*>(one.table.asyncF), &info) != 0 && info.dli_fname != nullptr;
  one.report.path = known ? info.dli_fname : candidate;
  one.report.found = true;
  return true;
}

void load() {
  const char* chosen = getenv("SPIMPL_LIBDISPATCH");
  if (chosen != nullptr && strcmp(chosen, "none") == 0) {
    state().report.refused.push_back("SPIMPL_LIBDISPATCH=none hides every libdispatch");
    return;
  }
  for (const std::string& candidate : candidates()) {
    if (accept(candidate)) return;
  }
}

std::once_flag once;

}  // namespace

const Libdispatch* Libdispatch::find() {
  std::call_once(once, load);
  return state().report.found ? &state().table : nullptr;
}

const LibdispatchReport& libdispatchReport() {
  std::call_once(once, load);
  return state().report;
}

int Libdispatch::descriptorOf(Queue runloopQueue) const {
#if defined(__linux__)
  // libdispatch stores the descriptor plus one, so that 0 means none.
  const auto kept = reinterpret_cast<uintptr_t*>(runloopQueue)[contextIndex];
  return kept == 0 || kept > INT_MAX ? -1 : static_cast<int>(kept) - 1;
#else
  (void)runloopQueue;
  return -1;
#endif
}

}  // namespace dispatch_addon
