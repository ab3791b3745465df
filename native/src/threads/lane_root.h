// The root queue of a lane: the queue that libdispatch hands back to this thread instead of running it on its own. For
// the process's main thread it is the main queue, for others a run-loop queue bound to them.
#pragma once

#include <memory>

#include "../queues/libdispatch.h"

namespace dispatch_addon {

class LaneRoot {
 public:
  // On the lane's own thread. nullptr where this libdispatch cannot serve the thread.
  static std::unique_ptr<LaneRoot> create(const Libdispatch& dispatch);

  ~LaneRoot();
  LaneRoot(const LaneRoot&) = delete;
  LaneRoot& operator=(const LaneRoot&) = delete;

  Libdispatch::Queue queue() const { return queue_; }
  bool isMain() const { return main_; }

  // Becomes readable when the root has work.
  int descriptor() const { return descriptor_; }

  // Runs the items that are there, on the lane's own thread.
  void drain();

 private:
  LaneRoot(const Libdispatch& dispatch, Libdispatch::Queue base, Libdispatch::Queue queue, bool main, int descriptor)
      : dispatch_(dispatch), base_(base), queue_(queue), main_(main), descriptor_(descriptor) {}

  void acknowledge();

  const Libdispatch& dispatch_;
  // The queue that is drained. A run-loop queue stores no queue-specific data, so other queues target a serial queue
  // above it.
  Libdispatch::Queue base_;
  Libdispatch::Queue queue_;
  bool main_;
  int descriptor_;
  bool draining_ = false;
};

}  // namespace dispatch_addon
