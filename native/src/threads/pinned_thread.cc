#include "pinned_thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <utility>

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace dispatch_addon {
namespace {

int64_t currentSystemId() {
#if defined(__linux__)
  return syscall(SYS_gettid);
#else
  uint64_t id = 0;
  pthread_threadid_np(nullptr, &id);
  return static_cast<int64_t>(id);
#endif
}

}  // namespace

std::string ThreadTraits::apply() const {
  std::string refused;
  const auto note = [&](const char* what, int error) {
    if (!refused.empty()) refused += "; ";
    refused += std::string(what) + ": " + strerror(error);
  };
#if defined(__linux__)
  // The kernel keeps 15 bytes.
  if (!name.empty()) pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
    const int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    if (error != 0) note("cpu", error);
  }
  // On Linux a nice value belongs to the thread and not to the process.
  if (priority != 0 && setpriority(PRIO_PROCESS, static_cast<id_t>(currentSystemId()), priority) != 0) {
    note("priority", errno);
  }
#else
  if (!name.empty()) pthread_setname_np(name.c_str());
  // macOS binds no thread to a CPU.
  if (cpu >= 0) note("cpu", ENOTSUP);
  if (priority != 0) {
    sched_param parameters{};
    int policy = 0;
    pthread_getschedparam(pthread_self(), &policy, &parameters);
    parameters.sched_priority -= priority;
    const int error = pthread_setschedparam(pthread_self(), policy, &parameters);
    if (error != 0) note("priority", error);
  }
#endif
  return refused;
}

PinnedThread::PinnedThread(std::shared_ptr<Inbox> inbox, ThreadTraits traits)
    : inbox_(std::move(inbox)), traits_(std::move(traits)) {}

std::shared_ptr<PinnedThread> PinnedThread::start(Lane* lane, std::shared_ptr<Inbox> inbox, ThreadTraits traits,
                                                  std::string& refused) {
  std::shared_ptr<PinnedThread> thread(new PinnedThread(std::move(inbox), std::move(traits)));
  // Not std::thread, which throws where the system has no thread left: the addon is built without exceptions.
  const int error = uv_thread_create(
      &thread->thread_, [](void* self) { static_cast<PinnedThread*>(self)->loop(); }, thread.get());
  if (error != 0) {
    refused = uv_strerror(error);
    return nullptr;
  }
  thread->joinable_ = true;
  thread->lane_ = lane;
  if (lane != nullptr) lane->welcome(thread.get());
  return thread;
}

PinnedThread::~PinnedThread() {
  if (lane_ != nullptr) lane_->farewell(this);
  laneEnds();
}

void PinnedThread::loop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    refused_ = traits_.apply();
    systemId_ = currentSystemId();
    started_ = true;
  }
  changed_.notify_all();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty() || abandoned_) break;
    std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job->perform();
    job.reset();
    lock.lock();
  }
  if (answerStop_) inbox_->answer(stopId_);
}

bool PinnedThread::perform(std::unique_ptr<Job> job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

bool PinnedThread::stop(uint32_t id) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return false;
    stopping_ = true;
    answerStop_ = true;
    stopId_ = id;
  }
  changed_.notify_one();
  return true;
}

void PinnedThread::awaitStart() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return started_; });
}

int64_t PinnedThread::systemId() {
  awaitStart();
  return systemId_;
}

std::string PinnedThread::refused() {
  awaitStart();
  return refused_;
}

void PinnedThread::join() {
  if (joinable_) uv_thread_join(&thread_);
  joinable_ = false;
}

void PinnedThread::laneEnds() {
  lane_ = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    abandoned_ = true;
  }
  changed_.notify_one();
  join();
  // Without the lock: the destructors of jobs may take long, and no other thread can reach the jobs now.
  jobs_.clear();
}

}  // namespace dispatch_addon
