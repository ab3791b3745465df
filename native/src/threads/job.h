// A native job: work for a batch that needs no JavaScript, so that any queue or pinned thread can run it. Its answer is
// one message to the lane that submitted it.
#pragma once

#include <atomic>
#include <memory>

#include "inbox.h"
#include "../queues/libdispatch.h"

namespace dispatch_addon {

class Job {
 public:
  virtual ~Job() = default;
  uint32_t id() const { return id_; }

  // On any thread, once. Skips the work if the lane has ended, because the memory of the messages went with it.
  void perform();

  // Enqueues it; libdispatch or the thread then owns it.
  static void submit(std::unique_ptr<Job> job, const Libdispatch& dispatch, Libdispatch::Queue queue, bool barrier);

 protected:
  Job(std::shared_ptr<Inbox> inbox, uint32_t id) : inbox_(std::move(inbox)), id_(id) {}
  virtual void work() = 0;

 private:
  std::shared_ptr<Inbox> inbox_;
  uint32_t id_;
};

// For backendInfo(): on how many threads jobs ran, and how many at once.
struct JobStatistics {
  uint64_t jobs = 0;
  uint32_t threads = 0;
  uint32_t mostAtOnce = 0;
};

JobStatistics jobStatistics();

}  // namespace dispatch_addon
