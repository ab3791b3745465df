// dispatch_queue_t as JavaScript calls it.
#include "../glue/call.h"
#include "../threads/lane.h"
#include "queue_handle.h"

namespace dispatch_addon {
namespace {

std::shared_ptr<QueueHandle> handleOf(Lane& lane, std::shared_ptr<Queue> queue, std::shared_ptr<QueueHandle> target) {
  if (queue == nullptr) {
    fail(lane.env(), "ERR_ADDON", "libdispatch made no queue");
    return nullptr;
  }
  const auto handle = std::make_shared<QueueHandle>(lane, std::move(queue), std::move(target));
  // Waiting items share the handle, so its destructor is too late for a queue that JavaScript has lost: the box lets go
  // of it.
  return std::shared_ptr<QueueHandle>(handle.get(), [handle](QueueHandle*) { handle->letGo(); });
}

// `qos` 0 inherits the target's.
std::shared_ptr<QueueHandle> queueCreate(Lane& lane, const std::string& label, bool concurrent, bool inactive,
                                         uint32_t qos, QueueHandle& target) {
  const Queue& above = target.queue();
  return handleOf(lane, Queue::create(above.dispatch(), {label, concurrent, inactive, qos}, above.object()),
                  target.self());
}

// The root of this lane, or undefined where there is none.
std::shared_ptr<QueueHandle> queueRoot(Lane& lane) {
  if (lane.root() == nullptr) return nullptr;
  return handleOf(lane, Queue::adopt(*Libdispatch::find(), lane.root()->queue(), false), nullptr);
}

// Flags 0: the queue never overcommits.
std::shared_ptr<QueueHandle> queueGlobal(Lane& lane, uint32_t qos) {
  const Libdispatch& dispatch = *Libdispatch::find();
  return handleOf(lane, Queue::adopt(dispatch, dispatch.globalQueue(static_cast<intptr_t>(qos), 0), true), nullptr);
}

void queueAfter(QueueHandle& queue, uint32_t item, double delayMs) { queue.after(nanosecondsOf(delayMs), item); }

// Holds the queues of the running item or source handler, until its promise has settled.
std::shared_ptr<Hold> holdRunning(Lane& lane) {
  QueueHandle* running = lane.running();
  return running == nullptr ? nullptr : Hold::begin(lane, *running, lane.runsBarrier());
}

// The label of the queue whose item or source handler runs.
std::optional<std::string> runningLabel(Lane& lane) {
  QueueHandle* running = lane.running();
  if (running == nullptr) return std::nullopt;
  const Queue& queue = running->queue();
  return queue.dispatch().queueGetLabel(queue.object());
}

bool queueIsCurrent(QueueHandle& queue) { return queue.queue().isCurrent(); }

uint32_t queueId(QueueHandle& queue) { return queue.queue().id(); }

// Keys of queue-specific data are the numbers of lib/queues/queue-key.js. libdispatch never dereferences a key.
const void* keyOf(uint32_t number) { return reinterpret_cast<const void*>(static_cast<uintptr_t>(number)); }

// A value is a number, too. libdispatch calls `forget`, on one of its threads, when the queue is gone or the value
// replaced.
struct SpecificValue {
  uint32_t number;
  std::shared_ptr<Inbox> inbox;

  static void forget(void* context) {
    const std::unique_ptr<SpecificValue> value(static_cast<SpecificValue*>(context));
    value->inbox->post([number = value->number](Lane& lane) { lane.arrive(Arrival::forgotten, number); });
  }
};

std::optional<uint32_t> numberOf(void* value) {
  return value == nullptr ? std::nullopt : std::optional(static_cast<SpecificValue*>(value)->number);
}

void queueSetSpecific(Lane& lane, QueueHandle& handle, uint32_t key, std::optional<uint32_t> number) {
  const Queue& queue = handle.queue();
  auto* value = number.has_value() ? new SpecificValue{*number, lane.inbox()} : nullptr;
  const auto forget = value == nullptr ? nullptr : SpecificValue::forget;
  queue.dispatch().queueSetSpecific(queue.object(), keyOf(key), value, forget);
}

// Of this queue alone.
std::optional<uint32_t> queueGetSpecific(QueueHandle& handle, uint32_t key) {
  const Queue& queue = handle.queue();
  return numberOf(queue.dispatch().queueGetSpecific(queue.object(), keyOf(key)));
}

// The value of the running queue, or of the nearest one that it targets.
std::optional<uint32_t> getSpecific(uint32_t key) {
  return numberOf(Libdispatch::find()->getSpecific(keyOf(key)));
}

// A queue of another lane, or undefined where none listens under this id.
std::shared_ptr<Queue> remoteOpen(uint32_t id) { return Queue::find(id); }

// False if the inbox of the queue is full or the queue no longer listens.
bool remoteSend(Queue& queue, const Bytes& bytes, uint32_t capacity) {
  return queue.send(Queue::Message(bytes.data, bytes.data + bytes.length), capacity);
}

}  // namespace

Calls queueCalls() {
  constexpr Needs needs = Needs::libdispatch;
  return {
      {"queueCreate", call<queueCreate>, needs},
      {"queueRoot", call<queueRoot>, needs},
      {"queueGlobal", call<queueGlobal>, needs},
      {"queueAsync", call<&QueueHandle::async>, needs},
      {"queueBarrierAsync", call<&QueueHandle::barrierAsync>, needs},
      {"queueAfter", call<queueAfter>, needs},
      {"queueCancelAfter", call<&QueueHandle::cancelAfter>, needs},
      {"queueSize", call<&QueueHandle::size>, needs},
      {"runningLabel", call<runningLabel>, needs},
      {"holdRunning", call<holdRunning>, needs},
      {"releaseHold", call<&Hold::release>, needs},
      {"queueSuspended", call<&QueueHandle::suspended>, needs},
      {"queueSuspend", call<&QueueHandle::suspend>, needs},
      {"queueResume", call<&QueueHandle::resume>, needs},
      {"queueActivate", call<&QueueHandle::activate>, needs},
      {"queueListen", call<&QueueHandle::listen>, needs},
      {"queueUnlisten", call<&QueueHandle::unlisten>, needs},
      {"queueSetTarget", call<&QueueHandle::setTarget>, needs},
      {"queueIsCurrent", call<queueIsCurrent>, needs},
      {"queueId", call<queueId>, needs},
      {"queueSetSpecific", call<queueSetSpecific>, needs},
      {"queueGetSpecific", call<queueGetSpecific>, needs},
      {"getSpecific", call<getSpecific>, needs},
      {"remoteOpen", call<remoteOpen>, needs},
      {"remoteSend", call<remoteSend>, needs},
  };
}

}  // namespace dispatch_addon
