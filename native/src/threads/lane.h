// A lane: one JavaScript thread (the main thread or a Worker) as this addon sees it. It owns everything that belongs to
// its environment, and ends with it: handles closed, running jobs waited for, threads joined, queues let go.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "../ciphers/cipher.h"
#include "../ciphers/control_slab.h"
#include "inbox.h"
#include "lane_root.h"

namespace dispatch_addon {

// The kinds of calls into JavaScript: the first argument of the entry function in lib/threads/lane.js.
enum class Arrival : uint32_t {
  item = 0,      // (id): a function that was enqueued
  messages = 1,  // (queue id, Uint8Array[]): what other lanes sent to a queue
  source = 2,    // (source id, data): a source fired
  cancelled = 3, // (source id): a source is cancelled
  jobs = 4,      // (count): native jobs that are done; their ids are the first of the array attached with the entry
  path = 5,      // (monitor id, path?): the network path may have changed, or is now `path`
  connection = 6,// (connection id, event): a connection or listener has something to say
  forgotten = 7  // (value number): a queue keeps this value no longer
};

class QueueHandle;

// An object with a native thread or source that must end before its lane does.
class LaneGuest {
 public:
  virtual ~LaneGuest() = default;
  virtual void laneEnds() = 0;
};

// Outlives the lane, so that a late item finds it ended.
struct LaneGate {
  const std::thread::id thread;
  std::atomic<Lane*> lane;

  // The lane, if this is its thread and it has not ended.
  Lane* here() const {
    return std::this_thread::get_id() == thread ? lane.load(std::memory_order_relaxed) : nullptr;
  }
};

class Lane {
 public:
  // The lane of this environment, which it owns; nullptr where its event loop takes no handles.
  static Lane* start(napi_env env);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  napi_env env() const { return env_; }
  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
  // nullptr where libdispatch is missing or cannot serve this thread.
  LaneRoot* root() const { return root_.get(); }
  // The reason why root() is nullptr although there is a libdispatch.
  const std::string& rootObstacle() const { return rootObstacle_; }
  const std::shared_ptr<LaneGate>& gate() const { return gate_; }
  ControlSlab& control() { return control_; }
  // nullptr where this node exports no OpenSSL.
  Cipher* cipher() const { return cipher_.get(); }

  // Calls the entry function of lib/threads/lane.js. Exceptions do not come back, because nothing may unwind through
  // libdispatch: a supervisor catches them in JavaScript, and the others are reported as uncaught.
  void arrive(Arrival kind, uint32_t id, napi_value argument = nullptr);

  // The same for an item or handler of a queue, which is `running` during the call.
  void arriveOn(QueueHandle& queue, bool barrier, Arrival kind, uint32_t id, napi_value argument = nullptr);
  QueueHandle* running() const { return running_; }
  bool runsBarrier() const { return runsBarrier_; }

  // Sets the entry function, and the array for the ids of finished jobs.
  void attachEntry(napi_value entry, napi_value answers);

  // Runs the items of the root now, without waiting for the event loop to poll.
  void drain();

  // Counts work in flight, which keeps the event loop alive; an idle lane lets the program end.
  void hold(int by);

  // Job `id` is in flight and keeps the event loop alive, unless its queue, if it has one, is suspended.
  void expectAnswer(uint32_t id, std::shared_ptr<QueueHandle> queue);

  void welcome(LaneGuest* guest) { guests_.insert(guest); }
  void farewell(LaneGuest* guest) { guests_.erase(guest); }

 private:
  struct Handles;

  explicit Lane(napi_env env);
  bool open();
  void end(napi_async_cleanup_hook_handle hook);
  void runTasks();
  void tellAnswers(const std::vector<uint32_t>& answers);
  void surfaceException();
  void detachEntry();

  napi_env env_;
  std::shared_ptr<LaneGate> gate_;
  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<LaneRoot> root_;
  std::string rootObstacle_;
  Handles* handles_ = nullptr;
  std::unordered_set<LaneGuest*> guests_;
  Kept entry_;
  // The entry function reads the ids of finished jobs here: one array for all answers costs nothing per answer.
  Kept keptAnswers_;
  Words answers_;
  // The queue of each job in flight, by job id. JavaScript reuses ids.
  std::vector<std::shared_ptr<QueueHandle>> queueOfJob_;
  QueueHandle* running_ = nullptr;
  bool runsBarrier_ = false;
  int held_ = 0;
  bool ended_ = false;
  ControlSlab control_;
  std::unique_ptr<Cipher> cipher_;
};

}  // namespace dispatch_addon
