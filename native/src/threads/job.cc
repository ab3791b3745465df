#include "job.h"

namespace dispatch_addon {
namespace {

std::atomic<uint64_t> performed{0};
std::atomic<uint32_t> threads{0};
std::atomic<uint32_t> running{0};
std::atomic<uint32_t> mostAtOnce{0};

void countThread() {
  thread_local bool counted = false;
  if (counted) return;
  counted = true;
  threads++;
}

}  // namespace

void Job::perform() {
  if (!inbox_->begin()) return;
  countThread();
  const uint32_t now = ++running;
  for (uint32_t most = mostAtOnce; now > most && !mostAtOnce.compare_exchange_weak(most, now);) {
  }
  work();
  running--;
  performed++;
  inbox_->finish(id_);
}

void Job::submit(std::unique_ptr<Job> job, const Libdispatch& dispatch, Libdispatch::Queue queue, bool barrier) {
  const auto run = [](void* context) {
    const std::unique_ptr<Job> owned(static_cast<Job*>(context));
    owned->perform();
  };
  if (barrier) {
    dispatch.barrierAsyncF(queue, job.release(), run);
  } else {
    dispatch.asyncF(queue, job.release(), run);
  }
}

JobStatistics jobStatistics() { return {performed, threads, mostAtOnce}; }

}  // namespace dispatch_addon
