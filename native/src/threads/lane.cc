#include "lane.h"

#include <dlfcn.h>
#include <string.h>

#include <algorithm>

#include "../glue/backend_calls.h"
#include "../queues/group_calls.h"
#include "job_calls.h"
#include "../queues/libdispatch.h"
#include "../network/network_calls.h"
#include "../ciphers/openssl.h"
#include "../queues/queue_calls.h"
#include "../queues/queue_handle.h"
#include "../queues/source_calls.h"
#include "../glue/value.h"

namespace dispatch_addon {

// libuv frees nothing: handles live until their close callbacks have run, which is after the lane's last code.
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
      inbox_(std::make_shared<Inbox>()),
      cipherCalls_(OpenSsl::find()) {}

Lane::~Lane() = default;

Lane* Lane::of(napi_env env) {
  void* lane = nullptr;
  napi_get_instance_data(env, &lane);
  return static_cast<Lane*>(lane);
}

// Threads of libdispatch and thread-local ciphers run this code as long as the process lives, but node unloads an addon
// with the last environment that loaded it, which may be a Worker.
static void stayLoaded() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &info) != 0 && info.dli_fname != nullptr) {
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE | RTLD_NOLOAD);
  }
}

napi_value Lane::install(napi_env env, napi_value exports) {
  stayLoaded();
  auto* lane = new Lane(env);
  if (napi_set_instance_data(env, lane, nullptr, nullptr) != napi_ok || !lane->start()) {
    delete lane;
    return fail(env, "ERR_ADDON", "the event loop of this thread takes no handles");
  }
  lane->cipherCalls_.install(env, exports);
  setFunction(env, exports, "attachEntry", attachEntry, lane);
  setFunction(env, exports, "drainLane", drain, lane);
  installBackendCalls(env, exports, *lane);
  installQueueCalls(env, exports, *lane);
  installGroupCalls(env, exports, *lane);
  installSourceCalls(env, exports, *lane);
  installJobCalls(env, exports, *lane);
  installNetworkCalls(env, exports, *lane);
  setFunction(env, exports, "holdLane", holdLane, lane);
  return exports;
}

bool Lane::start() {
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
      static_cast<Handles*>(handle->data)->lane->drainRoot();
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
  // In this order: no new work, running work waited for, threads joined, then the handles.
  inbox_->close();
  while (!guests_.empty()) {
    LaneGuest* guest = *guests_.begin();
    guests_.erase(guests_.begin());
    guest->laneEnds();
  }
  cipherCalls_.release(env_);
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
  const bool after = held_ > 0;
  if (before == after) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&handles_->wakeup);
  if (after) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

// What JavaScript asks for because of one answer is often done before it has returned from it. Looking again spares that
// answer the way through the kernel, and after so many looks libuv has its turn.
constexpr int kLooksInARow = 64;

void Lane::runTasks() {
  std::vector<std::unique_ptr<Task>> tasks;
  std::vector<uint32_t> answers;
  for (int look = 0; look < kLooksInARow; look++) {
    if (!inbox_->take(tasks, answers)) return;
    tellAnswers(answers);
    answers.clear();
    for (auto& task : tasks) {
      napi_handle_scope scope = nullptr;
      if (ended_ || napi_open_handle_scope(env_, &scope) != napi_ok) break;
      task->run(*this);
      napi_close_handle_scope(env_, scope);
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
  for (size_t from = 0; from < answers.size() && answersLength_ > 0; from += answersLength_) {
    const size_t count = std::min(answers.size() - from, answersLength_);
    memcpy(answers_, answers.data() + from, count * sizeof(uint32_t));
    arrive(Arrival::jobs, static_cast<uint32_t>(count));
  }
}

void Lane::drainRoot() {
  napi_handle_scope scope = nullptr;
  if (ended_ || napi_open_handle_scope(env_, &scope) != napi_ok) return;
  // An item may end the lane, and its root then must outlast the drain.
  const std::shared_ptr<LaneRoot> root = root_;
  root->drain();
  napi_close_handle_scope(env_, scope);
}

void Lane::arrive(Arrival kind, uint32_t id, napi_value argument, napi_value second) {
  if (ended_ || entry_ == nullptr) return;
  // Each arrival has a scope: a drain runs many, and their handles should not add up.
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value entry = nullptr;
  napi_value global = nullptr;
  if (napi_get_reference_value(env_, entry_, &entry) == napi_ok && entry != nullptr &&
      napi_get_global(env_, &global) == napi_ok) {
    napi_value arguments[4] = {makeUint32(env_, static_cast<uint32_t>(kind)), makeUint32(env_, id), argument, second};
    const size_t count = argument == nullptr ? 2 : second == nullptr ? 3 : 4;
    // make_callback and not call_function: promises and process.nextTick of one item run before the next one.
    if (napi_make_callback(env_, nullptr, global, entry, count, arguments, nullptr) != napi_ok) surfaceException();
  }
  napi_close_handle_scope(env_, scope);
}

// An exception in a callback is an uncaught one, as in a timer. A Worker that is being terminated has none to tell of.
void Lane::surfaceException() {
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env_, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
}

void Lane::detachEntry() {
  for (napi_ref* reference : {&entry_, &answersReference_}) {
    if (*reference != nullptr) napi_delete_reference(env_, *reference);
    *reference = nullptr;
  }
  answersLength_ = 0;
}

// (entry function, Uint32Array for the ids of jobs that are done)
napi_value Lane::attachEntry(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (!isFunction(env, args[0]) ||
      napi_get_typedarray_info(env, args[1], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint32_array) {
    return failType(env, "expected a function and a Uint32Array");
  }
  lane->detachEntry();
  napi_create_reference(env, args[0], 1, &lane->entry_);
  napi_create_reference(env, args[1], 1, &lane->answersReference_);
  lane->answers_ = static_cast<uint32_t*>(data);
  lane->answersLength_ = length;
  return nullptr;
}

// (by): for things that JavaScript counts itself, such as active sources.
napi_value Lane::holdLane(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t by = 0;
  if (readInt32(env, args[0], by)) static_cast<Lane*>(args.data())->hold(by);
  return nullptr;
}

// Runs what the root has, without waiting for the event loop to poll.
napi_value Lane::drain(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  if (lane->root_ != nullptr) lane->drainRoot();
  return nullptr;
}

}  // namespace dispatch_addon
