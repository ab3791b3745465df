// One dispatch_queue_t with what this addon adds: counted suspension that cannot crash, safe release, and an inbox
// through which other threads bring messages in batches. No Node-API here.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libdispatch.h"

namespace dispatch_addon {

class Queue : public std::enable_shared_from_this<Queue> {
 public:
  struct Options {
    std::string label;
    bool concurrent = false;
    bool inactive = false;
    // 0 inherits the target's.
    unsigned qos = 0;
  };
  using Message = std::vector<uint8_t>;
  // Runs as an item of the queue. Must not throw.
  using OnMessages = void (*)(void* owner, Queue& queue, std::vector<Message>& batch);

  static std::shared_ptr<Queue> create(const Libdispatch& dispatch, const Options& options, Libdispatch::Queue target);
  // Wraps the main queue, a lane's root or a global queue, which cannot be suspended, activated or retargeted. For a
  // global queue isCurrent() is always false, because libdispatch stores no queue-specific data for it.
  static std::shared_ptr<Queue> adopt(const Libdispatch& dispatch, Libdispatch::Queue queue, bool global);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  uint32_t id() const { return id_; }
  Libdispatch::Queue object() const { return object_; }
  const Libdispatch& dispatch() const { return dispatch_; }
  bool isRoot() const { return adopted_; }
  bool isConcurrent() const { return concurrent_; }

  // Return false on misuse, for which libdispatch would end the process.
  bool suspend();
  bool resume();
  bool activate();
  bool setTarget(Libdispatch::Queue target);
  // Activates and resumes it for good: libdispatch ends the process when a suspended or inactive queue loses its last
  // reference, and items that wait keep references of their own.
  void letGo();
  bool suspended() const { return suspensions_ > 0 || inactive_; }

  // Suspends while the promise of an item is pending. Counted apart, so that users can neither see nor undo it.
  void hold();
  void release();
  bool held() const { return holds_ > 0; }

  // Whether the caller runs on this queue or on one that it targets: what dispatch_assert_queue asserts.
  bool isCurrent() const { return dispatch_.getSpecific(this) != nullptr; }

  // From any thread. False if `capacity` messages already wait.
  bool send(Message message, size_t capacity);
  // Sets the receiver, or none. A delivery in progress on another thread keeps the former owner alive until it returns.
  void receive(std::shared_ptr<void> owner, OnMessages onMessages);

  // Finds a published queue by its id.
  static std::shared_ptr<Queue> find(uint32_t id);
  void publish();
  void unpublish();

 private:
  struct Traits {
    bool adopted;
    bool identified;
    bool concurrent;
    bool inactive;
  };
  Queue(const Libdispatch& dispatch, Libdispatch::Queue object, const Traits& traits);
  static void drainMessages(void* context);

  const Libdispatch& dispatch_;
  Libdispatch::Queue object_;
  const uint32_t id_;
  const bool adopted_;
  const bool identified_;
  const bool concurrent_;
  // Changed only on the thread of the lane that owns the queue.
  int suspensions_ = 0;
  int holds_ = 0;
  bool inactive_;

  std::mutex mutex_;
  std::vector<Message> messages_;
  std::shared_ptr<void> owner_;
  OnMessages onMessages_ = nullptr;
};

}  // namespace dispatch_addon
