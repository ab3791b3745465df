// A queue as one lane uses it: its items are JavaScript functions of that lane, known here by a number.
#pragma once

#include <memory>
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
  // What holds on to the handle but not to the queue's place in JavaScript: its loss there still lets go of the queue.
  std::shared_ptr<QueueHandle> self() { return shared_from_this(); }
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
  bool setTarget(QueueHandle& target);

  // Something that is to run here keeps the program alive, unless this queue or one that it targets is suspended: nobody
  // can tell whether it will ever be resumed.
  void expectOne();
  void doneOne();

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
  static void run(void* context);
  static void deliver(void* owner, Queue& queue, std::vector<Queue::Message>& batch);
  // After this queue or its target was suspended or resumed: settles who keeps the program alive, down the subtree.
  void settle();

  std::shared_ptr<LaneGate> gate_;
  std::shared_ptr<Queue> queue_;
  std::shared_ptr<QueueHandle> target_;
  // Those that target this one. Touched only while the lane lives, on its thread.
  std::unordered_set<QueueHandle*> children_;
  bool stopped_ = false;
  int pending_ = 0;
  bool listening_ = false;
};

struct QueueHandle::Later : QueueHandle::Item {};

}  // namespace dispatch_addon
