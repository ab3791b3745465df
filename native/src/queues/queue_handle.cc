#include "queue_handle.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace dispatch_addon {

struct QueueHandle::Item {
  std::shared_ptr<QueueHandle> handle;
  uint32_t id;
  bool barrier;
  // Whether it is among the `pending_`, and among the `waiting_`.
  bool pends;
  bool waits;
  // No item of its own, but a turn for the first of `deferred_`.
  bool turn = false;
};

QueueHandle::QueueHandle(Lane& lane, std::shared_ptr<Queue> queue, std::shared_ptr<QueueHandle> target)
    : gate_(lane.gate()), queue_(std::move(queue)), target_(std::move(target)) {
  if (target_ != nullptr) target_->children_.insert(this);
  settle();
}

QueueHandle::~QueueHandle() {
  queue_->receive(nullptr, nullptr);
  if (target_ != nullptr && gate_->here() != nullptr) target_->children_.erase(this);
}

QueueHandle::Item* QueueHandle::expect(uint32_t id, bool barrier, bool waits) {
  expectOne();
  if (waits) waiting_++;
  return new Item{shared_from_this(), id, barrier, true, waits};
}

void QueueHandle::expectOne() {
  pending_++;
  Lane* lane = gate_->here();
  if (lane != nullptr && !stopped_) lane->hold(1);
}

void QueueHandle::doneOne() {
  assert(pending_ > 0);
  pending_--;
  Lane* lane = gate_->here();
  if (lane != nullptr && !stopped_) lane->hold(-1);
}

QueueHandle::Item* QueueHandle::later(uint32_t item) {
  return new Item{shared_from_this(), item, false, false, false};
}

void QueueHandle::due(Item* item) {
  item->pends = item->waits = true;
  waiting_++;
  expectOne();
}

void QueueHandle::run(void* context) {
  std::unique_ptr<Item> item(static_cast<Item*>(context));
  // The item may hold the last reference, and another item may run in its place.
  const std::shared_ptr<QueueHandle> handle = item->handle;
  Lane* lane = handle->gate_->here();
  // The lane has ended and the item runs on a thread of libdispatch, where there is no JavaScript for it.
  if (lane == nullptr) return;
  auto& deferred = handle->deferred_;
  if (!deferred.empty()) {
    if (!item->turn) deferred.push_back(std::move(item));
    item = std::move(deferred.front());
    deferred.pop_front();
  }
  assert(!item->turn);
  if (item->barrier && handle->inFlight_ > 0) {
    handle->defer(std::move(item));
  } else {
    handle->start(std::move(item), *lane);
  }
}

void QueueHandle::start(std::unique_ptr<Item> item, Lane& lane) {
  if (item->pends) doneOne();
  assert(!item->waits || waiting_ > 0);
  if (item->waits) waiting_--;
  lane.arriveOn(*this, item->barrier, Arrival::item, item->id);
}

// libdispatch knows nothing of promises: for it, a barrier may begin when the items before it have returned. Where
// promises of these are in flight, the queue is held until the last one settles. The turn of the barrier is spent then,
// and there is no way to the front of a dispatch queue. So a turn without an item is enqueued, and each turn until that
// one runs the first of those that had theirs:
//
//   turns that libdispatch gives     B . . . . . C    D    (turn)
//   deferred before, after           - | B     B | C  C | D   D | -
//   what runs                        nothing     B    C       D
void QueueHandle::defer(std::unique_ptr<Item> barrier) {
  deferred_.push_front(std::move(barrier));
  barrierDeferred_ = true;
  queue_->hold();
  settle();
  queue_->dispatch().asyncF(queue_->object(), new Item{shared_from_this(), 0, false, false, false, true}, run);
}

void QueueHandle::async(uint32_t item) {
  queue_->dispatch().asyncF(queue_->object(), expect(item, false, true), run);
}

void QueueHandle::barrierAsync(uint32_t item) {
  queue_->dispatch().barrierAsyncF(queue_->object(), expect(item, true, true), run);
}

// dispatch_after would keep the queue, and with it the lane's root, until the delay has ended. A timer source does the
// same, but can be cancelled by the user and at the end of the lane.
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
    item->handle->delays_[item->id] = this;
    dispatch.activate(source_);
  }

  ~Delay() override { delete item_; }

  void laneEnds() override { finish(); }

  void cancel(Lane& lane) {
    const std::unique_ptr<Item> item = settle(lane);
    item->handle->doneOne();
    finish();
  }

 private:
  void fire() {
    Lane* lane = gate_->here();
    if (lane == nullptr || item_ == nullptr) return;
    std::unique_ptr<Item> item = settle(*lane);
    // This frees the delay, but not before its handler has returned.
    finish();
    run(item.release());
  }

  std::unique_ptr<Item> settle(Lane& lane) {
    lane.farewell(this);
    item_->handle->delays_.erase(item_->id);
    return std::unique_ptr<Item>(std::exchange(item_, nullptr));
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
  if (lane != nullptr) new Delay(*lane, queue_->dispatch(), queue_->object(), delayNs, expect(item, false, false));
}

void QueueHandle::cancelAfter(uint32_t item) {
  const auto found = delays_.find(item);
  Lane* lane = gate_->here();
  if (lane != nullptr && found != delays_.end()) found->second->cancel(*lane);
}

void QueueHandle::letGo() {
  unlisten();
  queue_->letGo();
  settle();
}

void QueueHandle::settle() {
  Lane* lane = gate_->here();
  const bool stopped = queue_->suspended() || queue_->held() || (target_ != nullptr && target_->stopped_);
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
  // The gate receives, not this handle: after the end of the lane a thread of libdispatch may deliver while the lane
  // frees its handles.
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

std::shared_ptr<Hold> Hold::begin(Lane& lane, QueueHandle& queue, bool barrier) {
  const std::shared_ptr<Hold> hold(new Hold());
  for (QueueHandle* at = &queue; at != nullptr && !at->queue_->isRoot(); at = at->target_.get()) {
    const bool stops = !at->queue_->isConcurrent() || (barrier && at == &queue);
    hold->links_.push_back({at->self(), stops});
    if (stops) {
      at->queue_->hold();
      at->settle();
    } else {
      at->inFlight_++;
    }
  }
  hold->lane_ = &lane;
  hold->self_ = hold;
  lane.welcome(hold.get());
  return hold;
}

void Hold::release() {
  const std::shared_ptr<Hold> self = std::move(self_);
  assert(self != nullptr);
  lane_->farewell(this);
  for (const Link& link : std::exchange(links_, {})) {
    QueueHandle& queue = *link.queue;
    assert(link.stops || queue.inFlight_ > 0);
    const bool goesOn = link.stops || (--queue.inFlight_ == 0 && std::exchange(queue.barrierDeferred_, false));
    if (!goesOn) continue;
    queue.queue_->release();
    queue.settle();
  }
}

void Hold::laneEnds() {
  // Deferred items and their queue own each other.
  for (const Link& link : links_) link.queue->deferred_.clear();
  release();
}

}  // namespace dispatch_addon
