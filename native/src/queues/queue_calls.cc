#include "queue_calls.h"

#include "../glue/box.h"
#include "../threads/lane.h"
#include "queue_handle.h"
#include "../glue/value.h"

namespace dispatch_addon {
namespace {

std::shared_ptr<QueueHandle> handleOf(napi_env env, napi_value value) {
  return unbox<QueueHandle>(env, BoxType::queue, value);
}

napi_value boxed(napi_env env, Lane& lane, std::shared_ptr<Queue> queue, std::shared_ptr<QueueHandle> target = nullptr) {
  if (queue == nullptr) return fail(env, "ERR_ADDON", "libdispatch made no queue");
  const auto handle = std::make_shared<QueueHandle>(lane, std::move(queue), std::move(target));
  // Items that wait share the handle, so its own end cannot be what lets go of a queue that JavaScript has lost.
  const auto held = std::shared_ptr<QueueHandle>(handle.get(), [handle](QueueHandle*) { handle->letGo(); });
  return box(env, BoxType::queue, held);
}

// (label, concurrent, inactive, qos, target)
napi_value queueCreate(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  Queue::Options options;
  uint32_t qos = 0;
  if (!readString(env, args[0], options.label) || !readBool(env, args[1], options.concurrent) ||
      !readBool(env, args[2], options.inactive) || !readUint32(env, args[3], qos)) {
    return nullptr;
  }
  options.qos = qos;
  const auto target = handleOf(env, args[4]);
  if (target == nullptr) return nullptr;
  return boxed(env, *lane, Queue::create(target->queue().dispatch(), options, target->queue().object()), target->self());
}

// (): the root of this lane, or undefined where there is none.
napi_value queueRoot(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  if (lane->root() == nullptr) return makeUndefined(env);
  return boxed(env, *lane, Queue::adopt(*Libdispatch::find(), lane->root()->queue(), false));
}

// (qos): a global queue. Flags stay 0, which means that it never overcommits.
napi_value queueGlobal(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  uint32_t qos = 0;
  if (!readUint32(env, args[0], qos)) return nullptr;
  const Libdispatch* dispatch = Libdispatch::find();
  return boxed(env, *lane, Queue::adopt(*dispatch, dispatch->globalQueue(static_cast<intptr_t>(qos), 0), true));
}

// (queue, item) for async and barrier, (queue, item, delayMs) for after.
enum class How { async, barrier, after };
template <How how>
napi_value queueSubmit(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const auto handle = handleOf(env, args[0]);
  uint32_t item = 0;
  if (handle == nullptr || !readUint32(env, args[1], item)) return nullptr;
  if (how == How::async) handle->async(item);
  if (how == How::barrier) handle->barrierAsync(item);
  if (how == How::after) {
    double delayMs = 0;
    if (!readDouble(env, args[2], delayMs)) return nullptr;
    handle->after(nanosecondsOf(delayMs), item);
  }
  return nullptr;
}

template <bool (QueueHandle::*method)()>
napi_value queueState(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto handle = handleOf(env, args[0]);
  return handle == nullptr ? nullptr : makeBool(env, ((*handle).*method)());
}

template <void (QueueHandle::*method)()>
napi_value queueReach(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto handle = handleOf(env, args[0]);
  if (handle != nullptr) ((*handle).*method)();
  return nullptr;
}

napi_value queueSetTarget(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const auto handle = handleOf(env, args[0]);
  const auto target = handle == nullptr ? nullptr : handleOf(env, args[1]);
  if (target == nullptr) return nullptr;
  return makeBool(env, handle->setTarget(target));
}

napi_value queueIsCurrent(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto handle = handleOf(env, args[0]);
  return handle == nullptr ? nullptr : makeBool(env, handle->queue().isCurrent());
}

napi_value queueId(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto handle = handleOf(env, args[0]);
  return handle == nullptr ? nullptr : makeUint32(env, handle->queue().id());
}

napi_value queueLabel(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto handle = handleOf(env, args[0]);
  return handle == nullptr ? nullptr : makeString(env, handle->queue().label());
}

// Keys of queue-specific data are numbers, which lib/queues/queue.js gives to what users set. libdispatch never looks behind them.
const void* keyOf(uint32_t number) { return reinterpret_cast<const void*>(static_cast<uintptr_t>(number)); }

// A value is a number, too. libdispatch says when its queue has gone or has another one, on a thread of its own.
struct SpecificValue {
  uint32_t number;
  std::shared_ptr<Inbox> inbox;

  class Forgotten : public Task {
   public:
    explicit Forgotten(uint32_t number) : number_(number) {}
    void run(Lane& lane) override { lane.arrive(Arrival::forgotten, number_); }

   private:
    uint32_t number_;
  };

  static void forget(void* context) {
    const std::unique_ptr<SpecificValue> value(static_cast<SpecificValue*>(context));
    value->inbox->post(std::make_unique<Forgotten>(value->number));
  }
};

// (queue, key, value or undefined)
napi_value queueSetSpecific(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const auto handle = handleOf(env, args[0]);
  uint32_t key = 0;
  uint32_t number = 0;
  if (handle == nullptr || !readUint32(env, args[1], key)) return nullptr;
  const Queue& queue = handle->queue();
  if (isUndefined(env, args[2])) {
    queue.dispatch().queueSetSpecific(queue.object(), keyOf(key), nullptr, nullptr);
  } else if (readUint32(env, args[2], number)) {
    auto* value = new SpecificValue{number, static_cast<Lane*>(args.data())->inbox()};
    queue.dispatch().queueSetSpecific(queue.object(), keyOf(key), value, SpecificValue::forget);
  }
  return nullptr;
}

// (key): the value of the running queue, or of the nearest one that it targets.
napi_value getSpecific(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  uint32_t key = 0;
  if (!readUint32(env, args[0], key)) return nullptr;
  const auto* value = static_cast<SpecificValue*>(Libdispatch::find()->getSpecific(keyOf(key)));
  return value == nullptr ? makeUndefined(env) : makeUint32(env, value->number);
}

// (id): a queue of another lane, or undefined where none listens under this id.
napi_value remoteOpen(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  uint32_t id = 0;
  if (!readUint32(env, args[0], id)) return nullptr;
  std::shared_ptr<Queue> queue = Queue::find(id);
  return queue == nullptr ? makeUndefined(env) : box(env, BoxType::remote, std::move(queue));
}

// (remote, bytes, capacity): false where the queue's inbox is full or nobody listens any more.
napi_value remoteSend(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const auto queue = unbox<Queue>(env, BoxType::remote, args[0]);
  Bytes bytes;
  uint32_t capacity = 0;
  if (queue == nullptr || !readBytes(env, args[1], bytes) || !readUint32(env, args[2], capacity)) return nullptr;
  return makeBool(env, queue->send(Queue::Message(bytes.data, bytes.data + bytes.length), capacity));
}

}  // namespace

void installQueueCalls(napi_env env, napi_value exports, Lane& lane) {
  if (Libdispatch::find() == nullptr) return;
  setFunction(env, exports, "queueCreate", queueCreate, &lane);
  setFunction(env, exports, "queueRoot", queueRoot, &lane);
  setFunction(env, exports, "queueGlobal", queueGlobal, &lane);
  setFunction(env, exports, "queueAsync", queueSubmit<How::async>, &lane);
  setFunction(env, exports, "queueBarrierAsync", queueSubmit<How::barrier>, &lane);
  setFunction(env, exports, "queueAfter", queueSubmit<How::after>, &lane);
  setFunction(env, exports, "queueSuspend", queueState<&QueueHandle::suspend>, &lane);
  setFunction(env, exports, "queueResume", queueState<&QueueHandle::resume>, &lane);
  setFunction(env, exports, "queueActivate", queueState<&QueueHandle::activate>, &lane);
  setFunction(env, exports, "queueListen", queueReach<&QueueHandle::listen>, &lane);
  setFunction(env, exports, "queueUnlisten", queueReach<&QueueHandle::unlisten>, &lane);
  setFunction(env, exports, "queueSetTarget", queueSetTarget, &lane);
  setFunction(env, exports, "queueIsCurrent", queueIsCurrent, &lane);
  setFunction(env, exports, "queueId", queueId, &lane);
  setFunction(env, exports, "queueLabel", queueLabel, &lane);
  setFunction(env, exports, "queueSetSpecific", queueSetSpecific, &lane);
  setFunction(env, exports, "getSpecific", getSpecific, &lane);
  setFunction(env, exports, "remoteOpen", remoteOpen, &lane);
  setFunction(env, exports, "remoteSend", remoteSend, &lane);
}

}  // namespace dispatch_addon
