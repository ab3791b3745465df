#include "inbox.h"

#include <cassert>
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
      // Without the lock, for which the woken lane would have to wait. The handle stays open: close() waits for us.
      lock.unlock();
      uv_async_send(wakeup_);
      lock.lock();
    }
  }
  assert(running_ > 0);
  if (--running_ == 0 && !open_) quiet_.notify_all();
}

void Inbox::open(uv_async_t* wakeup) {
  std::lock_guard<std::mutex> lock(mutex_);
  wakeup_ = wakeup;
  open_ = true;
}

bool Inbox::take(std::vector<Task>& tasks, std::vector<uint32_t>& answers) {
  assert(tasks.empty() && answers.empty());
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
  // Freed without the lock, because the destructor of a task may post again.
  dropped.swap(tasks_);
  lock.unlock();
}

}  // namespace dispatch_addon
