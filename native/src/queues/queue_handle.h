// A queue as one lane uses it: its items are JavaScript functions of that lane, known here by a number.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "../threads/lane.h"
#include "queue.h"

namespace dispatch_addon {

class QueueHandle : public std::enable_shared_from_this<QueueHandle> {
 public:
  QueueHandle(Lane& lane, std::shared_ptr<Queue> queue, std::shared_ptr<QueueHandle> target);
  ~QueueHandle();
  QueueHandle(const QueueHandle&) = delete;
  QueueHandle& operator=(const QueueHandle&) = delete;

  Queue& queue() { return *queue_; }
  // Shares the handle, but not its box: a queue that JavaScript has lost is let go of all the same.
  std::shared_ptr<QueueHandle> self() { return shared_from_this(); }

  void async(uint32_t item);
  void barrierAsync(uint32_t item);
  void after(uint64_t delayNs, uint32_t item);
  // Called before the item has begun; it then never runs.
  void cancelAfter(uint32_t item);
  // Items that wait to begin.
  uint32_t size() const { return waiting_; }

  // An item that libdispatch enqueues when something else happens. It counts as waiting only once it is `due`.
  struct Item;
  Item* later(uint32_t item);
  void due(Item* item);
  static void run(void* item);

  bool suspend();
  bool resume();
  bool activate();
  bool setTarget(QueueHandle& target);
  bool suspended() { return queue_->suspended(); }

  // Expected work keeps the program alive, unless this queue or one of its targets is suspended or held: such a pause
  // may never end.
  void expectOne();
  void doneOne();

  // JavaScript has lost the queue. Waiting items still run, as long as the lane lives.
  void letGo();

  // Other lanes may send from now on, and the batches arrive in JavaScript under this queue's id.
  void listen();
  void unlisten();

 private:
  friend class Hold;
  class Delay;

  Item* expect(uint32_t id, bool barrier, bool waits);
  void start(std::unique_ptr<Item> item, Lane& lane);
  void defer(std::unique_ptr<Item> barrier);
  static void deliver(void* owner, Queue& queue, std::vector<Queue::Message>& batch);
  // Called after a suspension or hold of this queue or its target has begun or ended: updates what keeps the program
  // alive, down the subtree.
  void settle();

  std::shared_ptr<LaneGate> gate_;
  std::shared_ptr<Queue> queue_;
  std::shared_ptr<QueueHandle> target_;
  // Queues that target this one. Used only on the lane's thread, while the lane lives.
  std::unordered_set<QueueHandle*> children_;
  std::unordered_map<uint32_t, Delay*> delays_;
  // A barrier whose turn came while promises were in flight, and the items behind it. See `defer`.
  std::deque<std::unique_ptr<Item>> deferred_;
  // Promises of items on this queue, if it is concurrent, and on those that target it.
  int inFlight_ = 0;
  bool barrierDeferred_ = false;
  bool stopped_ = false;
  int pending_ = 0;
  uint32_t waiting_ = 0;
  bool listening_ = false;
};

// The promise of an item is pending. It holds the item's queue and every queue that this one targets, apart from the
// root: a serial queue begins nothing, a concurrent one only what is no barrier.
class Hold : public LaneGuest, public std::enable_shared_from_this<Hold> {
 public:
  static std::shared_ptr<Hold> begin(Lane& lane, QueueHandle& queue, bool barrier);

  // Once.
  void release();
  void laneEnds() override;

 private:
  Hold() = default;

  struct Link {
    std::shared_ptr<QueueHandle> queue;
    // Whether it is stopped, or counts what is in flight.
    bool stops;
  };
  Lane* lane_ = nullptr;
  std::vector<Link> links_;
  // Keeps the hold until it is released: a promise that JavaScript has lost stays pending for ever.
  std::shared_ptr<Hold> self_;
};

}  // namespace dispatch_addon
