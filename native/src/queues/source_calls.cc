// dispatch_source_t as JavaScript calls it: timers, readable and writable descriptors, data that is merged.
#include <fcntl.h>

#include "../glue/call.h"
#include "../threads/lane.h"
#include "queue_handle.h"

namespace dispatch_addon {
namespace {

// What libdispatch calls back with. It belongs to the dispatch object and goes with it.
struct SourceContext {
  const Libdispatch& dispatch;
  Libdispatch::Source source;
  std::shared_ptr<LaneGate> gate;
  uint32_t id;
  std::shared_ptr<QueueHandle> queue;
  // Data was merged, or the source was cancelled, and that has not arrived yet. It arrives before the program ends, unless
  // the source is suspended or its queue is.
  bool waiting = false;
  int suspensions = 0;

  void await(bool now) {
    const bool before = waiting && suspensions == 0;
    waiting = now;
    settle(before);
  }

  void suspend(int by) {
    const bool before = waiting && suspensions == 0;
    suspensions += by;
    settle(before);
  }

  void settle(bool before) {
    const bool after = waiting && suspensions == 0;
    if (after && !before) queue->expectOne();
    if (before && !after) queue->doneOne();
  }

  static void fire(void* context) {
    auto* one = static_cast<SourceContext*>(context);
    Lane* lane = one->gate->here();
    if (lane == nullptr) return;
    one->await(false);
    const auto data = static_cast<double>(one->dispatch.sourceGetData(one->source));
    lane->arrive(Arrival::source, one->id, toValue(lane->env(), data));
  }

  static void cancelled(void* context) {
    auto* one = static_cast<SourceContext*>(context);
    Lane* lane = one->gate->here();
    if (lane == nullptr) return;
    one->await(false);
    lane->arrive(Arrival::cancelled, one->id);
  }

  static void finalize(void* context) { delete static_cast<SourceContext*>(context); }
};

class SourceHandle {
 public:
  SourceHandle(const Libdispatch& dispatch, Libdispatch::Source source, SourceContext* context)
      : dispatch_(dispatch), source_(source), context_(context) {}

  ~SourceHandle() {
    cancel();
    // As with queues: a source that is inactive or suspended must not lose its last reference.
    activate();
    while (resume()) {
    }
    dispatch_.release(source_);
  }

  void activate() {
    if (active_) return;
    active_ = true;
    if (cancelled_) context_->await(true);
    dispatch_.activate(source_);
  }

  void cancel() {
    if (cancelled_) return;
    cancelled_ = true;
    context_->await(active_);
    dispatch_.sourceCancel(source_);
  }

  void suspend() {
    context_->suspend(1);
    dispatch_.suspend(source_);
  }

  bool resume() {
    if (context_->suspensions == 0) return false;
    context_->suspend(-1);
    dispatch_.resume(source_);
    return true;
  }

  void merge(double data) {
    if (active_ && !cancelled_ && data > 0) context_->await(true);
    dispatch_.sourceMergeData(source_, static_cast<uintptr_t>(data > 0 ? data : 0));
  }

  void schedule(double delayMs, double intervalMs, double leewayMs) {
    // Beyond the longest time a timer is disarmed, or does not repeat.
    const uint64_t start =
        delayMs < kLongestMs ? dispatch_.time(kNow, static_cast<int64_t>(nanosecondsOf(delayMs))) : kForever;
    const uint64_t interval = intervalMs > 0 && intervalMs < kLongestMs ? nanosecondsOf(intervalMs) : kForever;
    dispatch_.sourceSetTimer(source_, start, interval, nanosecondsOf(leewayMs));
  }

 private:
  const Libdispatch& dispatch_;
  Libdispatch::Source source_;
  // It belongs to the source, which lives as long as this does.
  SourceContext* context_;
  bool active_ = false;
  bool cancelled_ = false;
};

// The order of `sourceTypes` in lib/queues/source.js.
Libdispatch::SourceType typeOf(const Libdispatch& dispatch, uint32_t number) {
  switch (number) {
    case 0: return dispatch.typeTimer;
    case 1: return dispatch.typeRead;
    case 2: return dispatch.typeWrite;
    case 3: return dispatch.typeDataAdd;
    case 4: return dispatch.typeDataOr;
    case 5: return dispatch.typeDataReplace;
    default: return nullptr;
  }
}

std::shared_ptr<SourceHandle> sourceCreate(Lane& lane, uint32_t number, uint32_t descriptor, QueueHandle& queue,
                                           uint32_t id, bool strict) {
  const Libdispatch& dispatch = *Libdispatch::find();
  const Libdispatch::SourceType type = typeOf(dispatch, number);
  // libdispatch accepts a closed descriptor in silence, and the source never fires.
  const bool watches = type == dispatch.typeRead || type == dispatch.typeWrite;
  if (watches && fcntl(static_cast<int>(descriptor), F_GETFD) < 0) return nullptr;
  Libdispatch::Source source =
      dispatch.sourceCreate(type, descriptor, strict ? kTimerStrict : 0, queue.queue().object());
  if (source == nullptr) return nullptr;
  auto* context = new SourceContext{dispatch, source, lane.gate(), id, queue.self()};
  dispatch.setContext(source, context);
  dispatch.setFinalizer(source, SourceContext::finalize);
  dispatch.sourceSetEventHandlerF(source, SourceContext::fire);
  dispatch.sourceSetCancelHandlerF(source, SourceContext::cancelled);
  return std::make_shared<SourceHandle>(dispatch, source, context);
}

}  // namespace

Calls sourceCalls() {
  constexpr Needs needs = Needs::libdispatch;
  return {
      {"sourceCreate", call<sourceCreate>, needs},
      {"sourceActivate", call<&SourceHandle::activate>, needs},
      {"sourceCancel", call<&SourceHandle::cancel>, needs},
      {"sourceSuspend", call<&SourceHandle::suspend>, needs},
      {"sourceResume", call<&SourceHandle::resume>, needs},
      {"sourceMerge", call<&SourceHandle::merge>, needs},
      {"sourceSchedule", call<&SourceHandle::schedule>, needs},
  };
}

}  // namespace dispatch_addon
