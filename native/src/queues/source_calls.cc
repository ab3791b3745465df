#include "source_calls.h"

#include <fcntl.h>

#include "../glue/box.h"
#include "../threads/lane.h"
#include "queue_handle.h"
#include "../glue/value.h"

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
    lane->arrive(Arrival::source, one->id, makeDouble(lane->env(), data));
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

  void merge(uintptr_t data) {
    if (active_ && !cancelled_ && data != 0) context_->await(true);
    dispatch_.sourceMergeData(source_, data);
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

std::shared_ptr<SourceHandle> sourceOf(napi_env env, napi_value value) {
  return unbox<SourceHandle>(env, BoxType::source, value);
}

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

// (type, descriptor, queue, id, strict)
napi_value sourceCreate(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  const Libdispatch& dispatch = *Libdispatch::find();
  uint32_t type = 0;
  uint32_t descriptor = 0;
  uint32_t id = 0;
  bool strict = false;
  if (!readUint32(env, args[0], type) || !readUint32(env, args[1], descriptor) || !readUint32(env, args[3], id) ||
      !readBool(env, args[4], strict)) {
    return nullptr;
  }
  const auto queue = unbox<QueueHandle>(env, BoxType::queue, args[2]);
  if (queue == nullptr) return nullptr;
  // libdispatch takes it in silence, and it never fires.
  const bool watches = typeOf(dispatch, type) == dispatch.typeRead || typeOf(dispatch, type) == dispatch.typeWrite;
  if (watches && fcntl(static_cast<int>(descriptor), F_GETFD) < 0) return makeUndefined(env);
  Libdispatch::Source source =
      dispatch.sourceCreate(typeOf(dispatch, type), descriptor, strict ? kTimerStrict : 0, queue->queue().object());
  if (source == nullptr) return makeUndefined(env);
  auto* context = new SourceContext{dispatch, source, lane->gate(), id, queue->self()};
  dispatch.setContext(source, context);
  dispatch.setFinalizer(source, SourceContext::finalize);
  dispatch.sourceSetEventHandlerF(source, SourceContext::fire);
  dispatch.sourceSetCancelHandlerF(source, SourceContext::cancelled);
  return box(env, BoxType::source, std::make_shared<SourceHandle>(dispatch, source, context));
}

template <void (SourceHandle::*method)()>
napi_value sourceCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto source = sourceOf(env, args[0]);
  if (source != nullptr) ((*source).*method)();
  return nullptr;
}

napi_value sourceResume(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto source = sourceOf(env, args[0]);
  return source == nullptr ? nullptr : makeBool(env, source->resume());
}

// (source, data)
napi_value sourceMerge(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const auto source = sourceOf(env, args[0]);
  double data = 0;
  if (source != nullptr && readDouble(env, args[1], data)) source->merge(static_cast<uintptr_t>(data > 0 ? data : 0));
  return nullptr;
}

// (source, delayMs, intervalMs or 0, leewayMs)
napi_value sourceSchedule(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  const auto source = sourceOf(env, args[0]);
  double delay = 0;
  double interval = 0;
  double leeway = 0;
  if (source != nullptr && readDouble(env, args[1], delay) && readDouble(env, args[2], interval) &&
      readDouble(env, args[3], leeway)) {
    source->schedule(delay, interval, leeway);
  }
  return nullptr;
}

}  // namespace

void installSourceCalls(napi_env env, napi_value exports, Lane& lane) {
  if (Libdispatch::find() == nullptr) return;
  setFunction(env, exports, "sourceCreate", sourceCreate, &lane);
  setFunction(env, exports, "sourceActivate", sourceCall<&SourceHandle::activate>, &lane);
  setFunction(env, exports, "sourceCancel", sourceCall<&SourceHandle::cancel>, &lane);
  setFunction(env, exports, "sourceSuspend", sourceCall<&SourceHandle::suspend>, &lane);
  setFunction(env, exports, "sourceResume", sourceResume, &lane);
  setFunction(env, exports, "sourceMerge", sourceMerge, &lane);
  setFunction(env, exports, "sourceSchedule", sourceSchedule, &lane);
}

}  // namespace dispatch_addon
