#include "queue_handle.h"

#include <algorithm>
#include <utility>

#include "../glue/value.h"

namespace dispatch_addon {

QueueHandle::QueueHandle(Lane& lane, std::shared_ptr<Queue> queue, std::shared_ptr<QueueHandle> target)
    : gate_(lane.gate()), queue_(std::move(queue)), target_(std::move(target)) {
  if (target_ != nullptr) target_->children_.insert(this);
  settle();
}

QueueHandle::~QueueHandle() {
  queue_->receive(nullptr, nullptr);
  if (target_ != nullptr && gate_->here() != nullptr) target_->children_.erase(this);
}

QueueHandle::Item* QueueHandle::expect(uint32_t id) {
  expectOne();
  return new Item{shared_from_this(), id, true};
}

void QueueHandle::expectOne() {
  pending_++;
  Lane* lane = gate_->here();
  if (lane != nullptr && !stopped_) lane->hold(1);
}

void QueueHandle::doneOne() {
  pending_--;
  Lane* lane = gate_->here();
  if (lane != nullptr && !stopped_) lane->hold(-1);
}

QueueHandle::Later* QueueHandle::later(uint32_t item) { return new Later{{shared_from_this(), item, false}}; }

void QueueHandle::due(Later* item) {
  item->counted = true;
  expectOne();
}

void QueueHandle::runLater(void* context) { run(static_cast<Item*>(static_cast<Later*>(context))); }

void QueueHandle::run(void* context) {
  const std::unique_ptr<Item> item(static_cast<Item*>(context));
  QueueHandle& handle = *item->handle;
  Lane* lane = handle.gate_->here();
  // The lane has ended and the item came to a thread of libdispatch: there is no JavaScript for it any more.
  if (lane == nullptr) return;
  if (item->counted) handle.doneOne();
  lane->arrive(Arrival::item, item->id);
}

void QueueHandle::async(uint32_t item) { queue_->dispatch().asyncF(queue_->object(), expect(item), run); }

void QueueHandle::barrierAsync(uint32_t item) {
  queue_->dispatch().barrierAsyncF(queue_->object(), expect(item), run);
}

// dispatch_after keeps the queue, and with it the lane's root, until its time has come. A timer source does the same and
// can be cancelled when the lane ends.
class QueueHandle::Delay : public LaneGuest {
 public:
  Delay(Lane& lane, const Libdispatch& dispatch, Libdispatch::Queue queue, uint64_t delayNs, Item* item)
      : gate_(lane.gate()), dispatch_(dispatch), item_(item) {
    // As in dispatch_after: a tenth of the delay, but at least 1 ms and at most a minute.
    const uint64_t leeway = std::min<uint64_t>(std::max<uint64_t>(delayNs / 10, 1'000'000), 60'000'000'000);
    source_ = dispatch.sourceCreate(dispatch.typeTimer, 0, 0, queue);
    dispatch.setContext(source_, this);
    dispatch.setFinalizer(source_, [](void* context) { delete static_cast<Delay*>(context); });
    dispatch.sourceSetEventHandlerF(source_, [](void* context) { static_cast<Delay*>(context)->fire(); });
    dispatch.sourceSetTimer(source_, dispatch.time(kNow, static_cast<int64_t>(delayNs)), kForever, leeway);
    lane.welcome(this);
    dispatch.activate(source_);
  }

  ~Delay() override { delete item_; }

  void laneEnds() override { finish(); }

 private:
  void fire() {
    Lane* lane = gate_->here();
    if (lane == nullptr) return;
    lane->farewell(this);
    Item* item = std::exchange(item_, nullptr);
    // This frees the delay, but not before its handler has returned.
    finish();
    run(item);
  }

  void finish() {
    dispatch_.sourceCancel(source_);
    dispatch_.release(source_);
  }

  std::shared_ptr<LaneGate> gate_;
  const Libdispatch& dispatch_;
  Libdispatch::Source source_ = nullptr;
  Item* item_;
};

void QueueHandle::after(uint64_t delayNs, uint32_t item) {
  Lane* lane = gate_->here();
  if (lane != nullptr) new Delay(*lane, queue_->dispatch(), queue_->object(), delayNs, expect(item));
}

void QueueHandle::letGo() {
  unlisten();
  queue_->letGo();
  settle();
}

void QueueHandle::settle() {
  Lane* lane = gate_->here();
  const bool stopped = queue_->suspended() || (target_ != nullptr && target_->stopped_);
  if (lane == nullptr || stopped == stopped_) return;
  stopped_ = stopped;
  lane->hold(stopped ? -pending_ : pending_);
  for (QueueHandle* child : children_) child->settle();
}

bool QueueHandle::suspend() {
  const bool done = queue_->suspend();
  settle();
  return done;
}

bool QueueHandle::resume() {
  const bool done = queue_->resume();
  settle();
  return done;
}

bool QueueHandle::activate() {
  const bool done = queue_->activate();
  settle();
  return done;
}

bool QueueHandle::setTarget(QueueHandle& target) {
  if (!queue_->setTarget(target.queue_->object())) return false;
  if (target_ != nullptr) target_->children_.erase(this);
  target_ = target.self();
  target_->children_.insert(this);
  settle();
  return true;
}

void QueueHandle::listen() {
  Lane* lane = gate_->here();
  if (lane == nullptr || listening_) return;
  listening_ = true;
  // Not this handle: when the lane has ended, a thread of libdispatch may deliver while the lane frees its handles.
  queue_->receive(gate_, deliver);
  queue_->publish();
  lane->hold(1);
}

void QueueHandle::unlisten() {
  if (!listening_) return;
  listening_ = false;
  queue_->unpublish();
  queue_->receive(nullptr, nullptr);
  Lane* lane = gate_->here();
  if (lane != nullptr) lane->hold(-1);
}

void QueueHandle::deliver(void* owner, Queue& queue, std::vector<Queue::Message>& batch) {
  Lane* lane = static_cast<LaneGate*>(owner)->here();
  if (lane == nullptr) return;
  const Scope scope(lane->env());
  if (scope) lane->arrive(Arrival::messages, queue.id(), toValue(lane->env(), batch));
}

}  // namespace dispatch_addon
