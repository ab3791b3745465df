// How any thread reaches a lane: it posts a task, and the lane's event loop runs what was posted in one turn. Without
// libdispatch this is the only door; with it, queues have their own (lane_root.h) and this one carries answers of jobs.
#pragma once

#include <uv.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace dispatch_addon {

class Lane;

// Runs on the lane's thread, inside of a handle scope.
using Task = std::function<void(Lane&)>;

// Shared by the lane and everybody who may still post when the lane has ended.
class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // False, and the task is freed, where the lane has ended.
  bool post(Task task);

  // The same for the commonest task, that something is done: all that is done comes to JavaScript in one call.
  bool answer(uint32_t id);

  // A job that reads or writes memory of the lane's JavaScript runs between begin and finish, which answers as well. After
  // close(), begin refuses, and close() itself waits for those that have begun: so no job touches memory that went with
  // the lane.
  bool begin();
  void finish(uint32_t id);

  // On the lane's thread.
  void open(uv_async_t* wakeup);
  // Moves what is there into the two, which must be empty. False where there was nothing: only then the next post or
  // answer wakes the lane, so whoever takes goes on until then or calls wake().
  bool take(std::vector<Task>& tasks, std::vector<uint32_t>& answers);
  void wake();
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable quiet_;
  std::vector<Task> tasks_;
  std::vector<uint32_t> answers_;
  uv_async_t* wakeup_ = nullptr;
  bool open_ = false;
  // The lane has been woken, or is taking just now, and will see what is added.
  bool awake_ = false;
  int running_ = 0;
};

}  // namespace dispatch_addon
