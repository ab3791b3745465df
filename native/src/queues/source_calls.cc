// dispatch_source_t as JavaScript calls it: timers, readable and writable descriptors, data that is merged.
#include <fcntl.h>

#include <cassert>

#include "../glue/call.h"
#include "../threads/lane.h"
#include "queue_handle.h"

namespace dispatch_addon {
namespace {

enum class SourceKind : uint32_t { timer, read, write, dataAdd, dataOr, dataReplace };

// The context that libdispatch passes to the handlers. The dispatch object owns it and finalizes it.
struct SourceContext {
  const Libdispatch& dispatch;
  Libdispatch::Source source;
  std::shared_ptr<LaneGate> gate;
  uint32_t id;
  std::shared_ptr<QueueHandle> queue;
  // The merged data that has not fired. libdispatch has the same number, and does not fire for 0.
  uint64_t merged = 0;
  // An event or a cancellation is in flight. It arrives before the program ends, unless the source or its queue is
  // suspended or held.
  bool waiting = false;
  int suspensions = 0;
  int holds = 0;

  bool keepsAlive() const { return waiting && suspensions == 0 && holds == 0; }

  // Changes one of the three above.
  template <typename Change>
  void change(Change apply) {
    const bool before = keepsAlive();
    apply();
    if (keepsAlive() == before) return;
    if (before) {
      queue->doneOne();
    } else {
      queue->expectOne();
    }
  }

  void await(bool now) {
    change([&] { waiting = now; });
  }

  static void fire(void* context) {
    auto* one = static_cast<SourceContext*>(context);
    Lane* lane = one->gate->here();
    if (lane == nullptr) return;
    one->merged = 0;
    one->await(false);
    // A negative sum arrives as a number beyond 2^63.
    const auto data = static_cast<int64_t>(one->dispatch.sourceGetData(one->source));
    lane->arriveOn(*one->queue, false, Arrival::source, one->id, toValue(lane->env(), static_cast<double>(data)));
  }

  static void cancelled(void* context) {
    auto* one = static_cast<SourceContext*>(context);
    Lane* lane = one->gate->here();
    if (lane == nullptr) return;
    one->await(false);
    lane->arriveOn(*one->queue, false, Arrival::cancelled, one->id);
  }

  static void finalize(void* context) { delete static_cast<SourceContext*>(context); }
};

class SourceHandle {
 public:
  SourceHandle(const Libdispatch& dispatch, Libdispatch::Source source, SourceContext* context, SourceKind kind)
      : dispatch_(dispatch), source_(source), context_(context), kind_(kind) {}
  SourceHandle(const SourceHandle&) = delete;
  SourceHandle& operator=(const SourceHandle&) = delete;

  ~SourceHandle() {
    cancel();
    // As with queues, an inactive or suspended source must not lose its last reference.
    activate();
    while (resume()) {
    }
    while (context_->holds > 0) release();
    dispatch_.release(source_);
  }

  void activate() {
    if (active_) return;
    active_ = true;
    if (cancelled_ || context_->merged != 0) context_->await(true);
    dispatch_.activate(source_);
  }

  void cancel() {
    if (cancelled_) return;
    cancelled_ = true;
    context_->await(active_);
    dispatch_.sourceCancel(source_);
  }

  void suspend() {
    context_->change([&] { context_->suspensions++; });
    dispatch_.suspend(source_);
  }

  bool resume() {
    if (context_->suspensions == 0) return false;
    context_->change([&] { context_->suspensions--; });
    dispatch_.resume(source_);
    return true;
  }

  // Suspends while the promise of the event handler is pending. Counted apart, so that users can neither see nor undo
  // it.
  void hold() {
    context_->change([&] { context_->holds++; });
    dispatch_.suspend(source_);
  }

  void release() {
    assert(context_->holds > 0);
    context_->change([&] { context_->holds--; });
    dispatch_.resume(source_);
  }

  void merge(double value) {
    if (cancelled_) return;
    const auto data = static_cast<uint64_t>(static_cast<int64_t>(value));
    uint64_t& merged = context_->merged;
    merged = kind_ == SourceKind::dataAdd ? merged + data : kind_ == SourceKind::dataOr ? merged | data : data;
    if (active_) context_->await(merged != 0);
    dispatch_.sourceMergeData(source_, data);
  }

  void schedule(double delayMs, double intervalMs, double leewayMs) {
    // A delay beyond the longest time disarms the timer; such an interval does not repeat it.
    const uint64_t start =
        delayMs < kLongestMs ? dispatch_.time(kNow, static_cast<int64_t>(nanosecondsOf(delayMs))) : kForever;
    const uint64_t interval = intervalMs > 0 && intervalMs < kLongestMs ? nanosecondsOf(intervalMs) : kForever;
    dispatch_.sourceSetTimer(source_, start, interval, nanosecondsOf(leewayMs));
  }

 private:
  const Libdispatch& dispatch_;
  Libdispatch::Source source_;
  // Owned by the source, which lives as long as this handle.
  SourceContext* context_;
  const SourceKind kind_;
  bool active_ = false;
  bool cancelled_ = false;
};

// The order of SourceKind, and of the kinds in lib/queues/source.js.
Libdispatch::SourceType typeOf(const Libdispatch& dispatch, SourceKind kind) {
  switch (kind) {
    case SourceKind::timer: return dispatch.typeTimer;
    case SourceKind::read: return dispatch.typeRead;
    case SourceKind::write: return dispatch.typeWrite;
    case SourceKind::dataAdd: return dispatch.typeDataAdd;
    case SourceKind::dataOr: return dispatch.typeDataOr;
    case SourceKind::dataReplace: return dispatch.typeDataReplace;
  }
  return nullptr;
}

std::shared_ptr<SourceHandle> sourceCreate(Lane& lane, uint32_t number, uint32_t descriptor, QueueHandle& queue,
                                           uint32_t id, bool strict) {
  const Libdispatch& dispatch = *Libdispatch::find();
  const auto kind = static_cast<SourceKind>(number);
  // libdispatch accepts a closed descriptor in silence, and the source never fires.
  const bool watches = kind == SourceKind::read || kind == SourceKind::write;
  if (watches && fcntl(static_cast<int>(descriptor), F_GETFD) < 0) return nullptr;
  Libdispatch::Source source =
      dispatch.sourceCreate(typeOf(dispatch, kind), descriptor, strict ? kTimerStrict : 0, queue.queue().object());
  if (source == nullptr) return nullptr;
  auto* context = new SourceContext{dispatch, source, lane.gate(), id, queue.self()};
  dispatch.setContext(source, context);
  dispatch.setFinalizer(source, SourceContext::finalize);
  dispatch.sourceSetEventHandlerF(source, SourceContext::fire);
  dispatch.sourceSetCancelHandlerF(source, SourceContext::cancelled);
  return std::make_shared<SourceHandle>(dispatch, source, context, kind);
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
      {"sourceHold", call<&SourceHandle::hold>, needs},
      {"sourceRelease", call<&SourceHandle::release>, needs},
      {"sourceMerge", call<&SourceHandle::merge>, needs},
      {"sourceSchedule", call<&SourceHandle::schedule>, needs},
  };
}

}  // namespace dispatch_addon
