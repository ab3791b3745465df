#include "lane.h"

#include <dlfcn.h>
#include <string.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "../queues/libdispatch.h"
#include "../ciphers/openssl.h"
#include "../queues/queue_handle.h"

namespace dispatch_addon {

// libuv frees nothing: handles live until their close callbacks have run, which is after the end of the lane.
struct Lane::Handles {
  uv_async_t wakeup;
  uv_poll_t poll;
  bool polling = false;
  int open = 0;
  Lane* lane = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;

  static void closed(uv_handle_t* handle) {
    auto* handles = static_cast<Handles*>(handle->data);
    if (--handles->open > 0) return;
    delete handles->lane;
    if (handles->hook != nullptr) napi_remove_async_cleanup_hook(handles->hook);
    delete handles;
  }
};

Lane::Lane(napi_env env)
    : env_(env),
      gate_(new LaneGate{std::this_thread::get_id(), {this}}),
      inbox_(std::make_shared<Inbox>()) {
  if (const OpenSsl* openssl = OpenSsl::find()) cipher_ = std::make_unique<Cipher>(*openssl);
}

// Threads of libdispatch and thread-local ciphers run this code as long as the process lives, but node unloads an addon
// with the last environment that loaded it, which may be a Worker.
static void stayLoaded() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &info) != 0 && info.dli_fname != nullptr) {
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE | RTLD_NOLOAD);
  }
}

Lane* Lane::start(napi_env env) {
  stayLoaded();
  std::unique_ptr<Lane> lane(new Lane(env));
  return lane->open() ? lane.release() : nullptr;
}

bool Lane::open() {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return false;
  const Libdispatch* dispatch = Libdispatch::find();
  if (dispatch != nullptr) {
    root_ = LaneRoot::create(*dispatch);
    if (root_ == nullptr) rootObstacle_ = libdispatchReport().laneObstacle;
    if (root_ == nullptr && rootObstacle_.empty()) rootObstacle_ = "it gives no descriptor to poll";
  }

  handles_ = new Handles();
  handles_->lane = this;
  handles_->wakeup.data = handles_;
  if (uv_async_init(loop, &handles_->wakeup, [](uv_async_t* handle) {
        static_cast<Handles*>(handle->data)->lane->runTasks();
      }) != 0) {
    delete handles_;
    return false;
  }
  handles_->open = 1;
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->wakeup));
  inbox_->open(&handles_->wakeup);

  const int refused = root_ == nullptr ? UV_EINVAL : uv_poll_init(loop, &handles_->poll, root_->descriptor());
  if (refused == 0) {
    handles_->polling = true;
    handles_->open = 2;
    handles_->poll.data = handles_;
    uv_poll_start(&handles_->poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
      static_cast<Handles*>(handle->data)->lane->drain();
    });
    uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->poll));
  } else if (root_ != nullptr) {
    rootObstacle_ = refused == UV_EEXIST ? "another copy of this package drains its queue already"
                                         : std::string("libuv does not poll its descriptor: ") + uv_strerror(refused);
    root_.reset();
  }
  return napi_add_async_cleanup_hook(
             env_,
             [](napi_async_cleanup_hook_handle hook, void* data) { static_cast<Lane*>(data)->end(hook); }, this,
             nullptr) == napi_ok;
}

void Lane::end(napi_async_cleanup_hook_handle hook) {
  ended_ = true;
  gate_->lane = nullptr;
  // The order matters: refuse new work, wait for running work, join threads, close handles.
  inbox_->close();
  while (!guests_.empty()) {
    LaneGuest* guest = *guests_.begin();
    guests_.erase(guests_.begin());
    guest->laneEnds();
  }
  control_.detach(env_);
  detachEntry();
  queueOfJob_.clear();
  handles_->hook = hook;
  if (handles_->polling) {
    uv_poll_stop(&handles_->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&handles_->poll), Handles::closed);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->wakeup), Handles::closed);
  // After uv_poll_stop, because releasing a run-loop queue closes the descriptor.
  root_.reset();
}

void Lane::hold(int by) {
  if (by == 0 || ended_) return;
  const bool before = held_ > 0;
  held_ += by;
  assert(held_ >= 0);
  const bool after = held_ > 0;
  if (before == after) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&handles_->wakeup);
  if (after) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

// A job that JavaScript submits in reaction to an answer is often done before JavaScript returns. Checking the inbox
// again saves that answer a wake-up through the kernel; after this many checks libuv has its turn.
constexpr int kChecksPerWakeup = 64;

void Lane::runTasks() {
  std::vector<Task> tasks;
  std::vector<uint32_t> answers;
  for (int check = 0; check < kChecksPerWakeup; check++) {
    if (!inbox_->take(tasks, answers)) return;
    tellAnswers(answers);
    answers.clear();
    for (auto& task : tasks) {
      const Scope scope(env_);
      if (ended_ || !scope) break;
      task(*this);
    }
    tasks.clear();
    if (ended_) return;
  }
  inbox_->wake();
}

void Lane::expectAnswer(uint32_t id, std::shared_ptr<QueueHandle> queue) {
  if (queue == nullptr) return hold(1);
  queue->expectOne();
  if (id >= queueOfJob_.size()) queueOfJob_.resize(id + 1);
  queueOfJob_[id] = std::move(queue);
}

void Lane::tellAnswers(const std::vector<uint32_t>& answers) {
  for (const uint32_t id : answers) {
    const auto queue = id < queueOfJob_.size() ? std::move(queueOfJob_[id]) : nullptr;
    if (queue == nullptr) {
      hold(-1);
    } else {
      queue->doneOne();
    }
  }
  for (size_t from = 0; from < answers.size() && answers_.length > 0; from += answers_.length) {
    const size_t count = std::min(answers.size() - from, answers_.length);
    memcpy(answers_.data, answers.data() + from, count * sizeof(uint32_t));
    arrive(Arrival::jobs, static_cast<uint32_t>(count));
  }
}

void Lane::drain() {
  if (ended_ || root_ == nullptr) return;
  const Scope scope(env_);
  if (!scope) return;
  // An item may end the lane, so the root must outlive the drain.
  const std::shared_ptr<LaneRoot> root = root_;
  root->drain();
}

void Lane::arrive(Arrival kind, uint32_t id, napi_value argument) {
  if (ended_) return;
  // Each arrival has a scope of its own, so that the handles of a long drain do not add up.
  const Scope scope(env_);
  if (!scope) return;
  napi_value entry = entry_.value(env_);
  napi_value global = nullptr;
  if (entry == nullptr || napi_get_global(env_, &global) != napi_ok) return;
  napi_value arguments[] = {toValue(env_, static_cast<uint32_t>(kind)), toValue(env_, id), argument};
  const size_t count = argument == nullptr ? 2 : 3;
  // make_callback and not call_function: promises and process.nextTick of one item run before the next one.
  if (napi_make_callback(env_, nullptr, global, entry, count, arguments, nullptr) != napi_ok) surfaceException();
}

void Lane::arriveOn(QueueHandle& queue, bool barrier, Arrival kind, uint32_t id, napi_value argument) {
  QueueHandle* outer = std::exchange(running_, &queue);
  const bool outerBarrier = std::exchange(runsBarrier_, barrier);
  arrive(kind, id, argument);
  running_ = outer;
  runsBarrier_ = outerBarrier;
}

// An exception in a callback is uncaught, as in a timer. A Worker that is being terminated has none pending.
void Lane::surfaceException() {
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env_, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
}

void Lane::attachEntry(napi_value entry, napi_value answers) {
  Words words;
  if (!isFunction(env_, entry)) failType(env_, "expected a function");
  else if (fromValue(env_, answers, words)) {
    entry_.keep(env_, entry);
    keptAnswers_.keep(env_, answers);
    answers_ = words;
  }
}

void Lane::detachEntry() {
  entry_.drop(env_);
  keptAnswers_.drop(env_);
  answers_ = {};
}

}  // namespace dispatch_addon
