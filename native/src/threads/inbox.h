// How any thread reaches a lane: it posts a task or an answer, and the lane's event loop takes all of them in one turn.
// Without libdispatch this is the only way in; with it, queues have their own (lane_root.h) and this one carries the
// answers of jobs.
//
//   libdispatch's threads, pinned threads          the lane's thread
//
//   post(task)  ---> +----+----+---- - -
//                    | t0 | t1 |           tasks_    --+
//                    +----+----+---- - -               +-- take() swaps both for empty ones
//   finish(id)  ---> +----+----+---- - -               |   until nothing is left
//   answer(id)       | 17 |  4 |           answers_  --+
//                    +----+----+---- - -
//
//   awake_: false ---- the first post or answer calls uv_async_send ----> true
//           true  ---- take() found nothing --------------------------> false
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

// Shared by the lane and every thread that may still post when the lane has ended.
class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // False, and the task is freed, if the lane has ended.
  bool post(Task task);

  // The same for the most frequent task, that a job is done: the answers of one turn reach JavaScript in one call.
  bool answer(uint32_t id);

  // A job that reads or writes memory of the lane's JavaScript runs between begin and finish, which also answers. After
  // close() begin refuses, and close() itself waits for running jobs: so no job touches memory that is gone.
  bool begin();
  void finish(uint32_t id);

  // On the lane's thread.
  void open(uv_async_t* wakeup);
  // Moves the contents into the two vectors, which must be empty. False if there was nothing: only then does the next
  // post or answer wake the lane, so the caller goes on until then or calls wake().
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
  // The lane was woken, or is taking, and will find what is added now.
  bool awake_ = false;
  int running_ = 0;
};

}  // namespace dispatch_addon
