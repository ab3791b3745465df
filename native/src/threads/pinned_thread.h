// A pinned thread: one OS thread with a name, bound to a CPU if wanted, that performs jobs in order. Works without
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

  // Applies the traits to the calling thread. Returns the refused ones, or an empty string; a refused trait does not
  // stop the others.
  std::string apply() const;
};

class PinnedThread : public LaneGuest {
 public:
  // `lane` may be null, for a thread that only answers to an inbox. nullptr, with the reason, if the system gives no
  // thread.
  static std::shared_ptr<PinnedThread> start(Lane* lane, std::shared_ptr<Inbox> inbox, ThreadTraits traits,
                                             std::string& refused);
  ~PinnedThread() override;
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

  // False after stop().
  bool perform(std::unique_ptr<Job> job);
  // The thread performs its remaining jobs, answers as job `id`, and ends.
  bool stop(uint32_t id);
  // Waits for the end of the thread, which is near once it has answered.
  void join();
  // The OS thread id, and the refused traits. Both wait until the thread runs.
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
