#include "inbox.h"

#include <utility>

namespace dispatch_addon {

bool Inbox::post(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!open_) return false;
  tasks_.push_back(std::move(task));
  // Under the lock, because after close() the handle is gone.
  if (!std::exchange(awake_, true)) uv_async_send(wakeup_);
  return true;
}

bool Inbox::answer(uint32_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!open_) return false;
  answers_.push_back(id);
  if (!std::exchange(awake_, true)) uv_async_send(wakeup_);
  return true;
}

bool Inbox::begin() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!open_) return false;
  running_++;
  return true;
}

void Inbox::finish(uint32_t id) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (open_) {
    answers_.push_back(id);
    if (!std::exchange(awake_, true)) {
      // Not under the lock: the lane would wake only to wait for it. The handle stays, because close() waits for the end.
      lock.unlock();
      uv_async_send(wakeup_);
      lock.lock();
    }
  }
  if (--running_ == 0 && !open_) quiet_.notify_all();
}

void Inbox::open(uv_async_t* wakeup) {
  std::lock_guard<std::mutex> lock(mutex_);
  wakeup_ = wakeup;
  open_ = true;
}

bool Inbox::take(std::vector<Task>& tasks, std::vector<uint32_t>& answers) {
  std::lock_guard<std::mutex> lock(mutex_);
  tasks.swap(tasks_);
  answers.swap(answers_);
  if (!tasks.empty() || !answers.empty()) return true;
  awake_ = false;
  return false;
}

void Inbox::wake() { uv_async_send(wakeup_); }

void Inbox::close() {
  std::vector<Task> dropped;
  std::unique_lock<std::mutex> lock(mutex_);
  open_ = false;
  quiet_.wait(lock, [this] { return running_ == 0; });
  // Tasks may own things whose destructors post again, which needs the lock.
  dropped.swap(tasks_);
  lock.unlock();
}

}  // namespace dispatch_addon
