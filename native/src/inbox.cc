#include "inbox.h"

#include <utility>

namespace dispatch_addon {

bool Inbox::post(std::unique_ptr<Task> task) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (wakeup_ == nullptr) return false;
  const bool first = tasks_.empty() && answers_.empty();
  tasks_.push_back(std::move(task));
  // Under the lock, because after close() the handle is gone.
  if (first) uv_async_send(wakeup_);
  return true;
}

bool Inbox::answer(uint32_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (wakeup_ == nullptr) return false;
  const bool first = tasks_.empty() && answers_.empty();
  answers_.push_back(id);
  if (first) uv_async_send(wakeup_);
  return true;
}

bool Inbox::begin() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (wakeup_ == nullptr) return false;
  running_++;
  return true;
}

void Inbox::end() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--running_ == 0) quiet_.notify_all();
}

void Inbox::open(uv_async_t* wakeup) {
  std::lock_guard<std::mutex> lock(mutex_);
  wakeup_ = wakeup;
}

std::vector<std::unique_ptr<Task>> Inbox::take() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(tasks_, {});
}

std::vector<uint32_t> Inbox::takeAnswers() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(answers_, {});
}

void Inbox::close() {
  std::vector<std::unique_ptr<Task>> dropped;
  std::unique_lock<std::mutex> lock(mutex_);
  wakeup_ = nullptr;
  quiet_.wait(lock, [this] { return running_ == 0; });
  // Tasks may own things whose destructors post again, which needs the lock.
  dropped.swap(tasks_);
  lock.unlock();
}

}  // namespace dispatch_addon
