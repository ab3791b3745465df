// A queue as one lane uses it: its items are JavaScript functions of that lane, known here by a number.
#pragma once

#include <memory>

#include "lane.h"
#include "queue.h"

namespace dispatch_addon {

class QueueHandle : public std::enable_shared_from_this<QueueHandle> {
 public:
  QueueHandle(Lane& lane, std::shared_ptr<Queue> queue) : gate_(lane.gate()), queue_(std::move(queue)) {}
  ~QueueHandle() { queue_->receive(nullptr, nullptr); }

  Queue& queue() { return *queue_; }
  const std::shared_ptr<Queue>& shared() const { return queue_; }

  void async(uint32_t item);
  void barrierAsync(uint32_t item);
  void after(uint64_t delayNs, uint32_t item);

  // An item that libdispatch enqueues when something else happens. It counts as waiting only once it is `due`.
  struct Later;
  Later* later(uint32_t item);
  void due(Later* item);
  static void runLater(void* context);

  bool suspend();
  bool resume();
  bool activate();

  // JavaScript has no reference any more. What waits still runs, where there is a lane for it.
  void letGo();

  // Other lanes may send from now on, and the batches arrive in JavaScript under this queue's id.
  void listen();
  void unlisten();

 private:
  class Delay;
  struct Item {
    std::shared_ptr<QueueHandle> handle;
    uint32_t id;
    bool counted;
  };

  Item* expect(uint32_t id);
  void count();
  static void run(void* context);
  static void deliver(void* owner, Queue& queue, std::vector<Queue::Message>& batch);
  // Items of a suspended queue do not keep the program alive: nobody can tell whether it will ever be resumed.
  void settle(bool wasSuspended);

  std::shared_ptr<LaneGate> gate_;
  std::shared_ptr<Queue> queue_;
  int pending_ = 0;
  bool listening_ = false;
};

struct QueueHandle::Later : QueueHandle::Item {};

}  // namespace dispatch_addon
