// What the usual addon does: a thread of its own, and a napi_threadsafe_function back. `start(callback)`, then `send(number)`
// makes the callback be called with the number. Compiled by bench/dispatch.ts where there is a compiler.
#include <node_api.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace {

struct State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<uint32_t> numbers;
  bool stopping = false;
  napi_threadsafe_function function = nullptr;
  std::thread thread;
};

void call(napi_env env, napi_value callback, void*, void* data) {
  if (env == nullptr) return;
  napi_value number = nullptr;
  napi_value receiver = nullptr;
  napi_create_uint32(env, static_cast<uint32_t>(reinterpret_cast<uintptr_t>(data)), &number);
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, callback, 1, &number, nullptr);
}

State* stateOf(napi_env env, napi_callback_info info, napi_value* argument) {
  size_t count = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, argument, nullptr, &data);
  return static_cast<State*>(data);
}

napi_value start(napi_env env, napi_callback_info info) {
  napi_value callback = nullptr;
  State* state = stateOf(env, info, &callback);
  napi_value name = nullptr;
  napi_create_string_utf8(env, "bench", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, nullptr, nullptr, nullptr, call, &state->function);
  state->thread = std::thread([state] {
    std::unique_lock<std::mutex> lock(state->mutex);
    for (;;) {
      state->changed.wait(lock, [state] { return state->stopping || !state->numbers.empty(); });
      if (state->stopping) return;
      const uint32_t number = state->numbers.front();
      state->numbers.pop_front();
      lock.unlock();
      napi_call_threadsafe_function(state->function, reinterpret_cast<void*>(static_cast<uintptr_t>(number)),
                                    napi_tsfn_blocking);
      lock.lock();
    }
  });
  return nullptr;
}

napi_value send(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  State* state = stateOf(env, info, &argument);
  uint32_t number = 0;
  napi_get_value_uint32(env, argument, &number);
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->numbers.push_back(number);
  }
  state->changed.notify_one();
  return nullptr;
}

napi_value stop(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  State* state = stateOf(env, info, &argument);
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->stopping = true;
  }
  state->changed.notify_one();
  state->thread.join();
  napi_release_threadsafe_function(state->function, napi_tsfn_release);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  auto* state = new State();
  napi_value function = nullptr;
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, start, state, &function);
  napi_set_named_property(env, exports, "start", function);
  napi_create_function(env, "send", NAPI_AUTO_LENGTH, send, state, &function);
  napi_set_named_property(env, exports, "send", function);
  napi_create_function(env, "stop", NAPI_AUTO_LENGTH, stop, state, &function);
  napi_set_named_property(env, exports, "stop", function);
  return exports;
}
