// A thread that stays put: one OS thread with a name, bound to a CPU if wanted, that performs jobs in order. Works without
// libdispatch.
#pragma once

#include <uv.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "job.h"
#include "lane.h"

namespace dispatch_addon {

struct ThreadTraits {
  std::string name;
  // -1 for any.
  int cpu = -1;
  // -20 (most urgent) to 19, as nice(1); 0 leaves it.
  int priority = 0;

  // Applies them to the calling thread; empty, or what the system refused. A part that is refused does not stop the others.
  std::string apply() const;
};

class PinnedThread : public LaneGuest {
 public:
  // `lane` may be null, for a thread that answers to an inbox alone. nullptr, and why, where the system gives no thread.
  static std::shared_ptr<PinnedThread> start(Lane* lane, std::shared_ptr<Inbox> inbox, ThreadTraits traits,
                                             std::string& refused);
  ~PinnedThread() override;
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

  // False after stop().
  bool perform(std::unique_ptr<Job> job);
  // Performs what it has, then ends, and posts the number `id` as the answer of a job.
  bool stop(uint32_t id);
  // After that answer, which comes with the thread's last steps: returns when it has made them.
  void join();
  // The system's number of the thread, and what it refused of its traits; both once it runs.
  int64_t systemId();
  std::string refused();

  void laneEnds() override;

 private:
  PinnedThread(std::shared_ptr<Inbox> inbox, ThreadTraits traits);
  void loop();
  void awaitStart();

  Lane* lane_ = nullptr;
  std::shared_ptr<Inbox> inbox_;
  const ThreadTraits traits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> jobs_;
  bool stopping_ = false;
  bool abandoned_ = false;
  bool started_ = false;
  int64_t systemId_ = 0;
  std::string refused_;
  uint32_t stopId_ = 0;
  bool answerStop_ = false;
  uv_thread_t thread_{};
  bool joinable_ = false;
};

}  // namespace dispatch_addon
