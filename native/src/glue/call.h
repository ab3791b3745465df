// The typed call table. A call of the addon is an ordinary function or method: its parameters say what JavaScript
// passes, in order, and its result is what JavaScript gets. `call<f>` makes the Node-API callback of it.
//
//   parameter of f             what JavaScript passes
//   Lane&                      nothing: the lane of the caller
//   T& of another class        the box of a T, as toValue(std::shared_ptr<T>) made it
//   std::optional<T>           undefined, or a T
//   T, const T&                what fromValue reads as a T
//
// A method takes its object first. Where an argument does not fit, the call throws a TypeError and f does not run.
#pragma once

#include <tuple>
#include <type_traits>

#include "box.h"
#include "value.h"

namespace dispatch_addon {

class Lane;

template <typename Parameter>
struct Slot {
  static constexpr size_t kTaken = 1;
  Parameter content{};
  bool read(napi_env env, Lane&, const napi_value*& next) { return fromValue(env, *next++, content); }
  Parameter& get() { return content; }
};

template <typename T>
struct Slot<const T&> : Slot<T> {};

template <typename T>
struct Slot<T&> {
  static constexpr size_t kTaken = 1;
  T* content = nullptr;
  bool read(napi_env env, Lane&, const napi_value*& next) { return (content = unbox<T>(env, *next++)) != nullptr; }
  T& get() { return *content; }
};

template <>
struct Slot<Lane&> {
  static constexpr size_t kTaken = 0;
  Lane* content = nullptr;
  bool read(napi_env, Lane& lane, const napi_value*&) { return (content = &lane) != nullptr; }
  Lane& get() { return *content; }
};

template <typename Result, typename... Parameters, typename Callee>
napi_value perform(napi_env env, napi_callback_info info, Callee callee) {
  constexpr size_t taken = (Slot<Parameters>::kTaken + ... + 0);
  // Node-API fills what was not passed with undefined.
  napi_value values[taken + 1] = {};
  size_t count = taken;
  void* lane = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &lane) != napi_ok) return nullptr;
  std::tuple<Slot<Parameters>...> slots;
  return std::apply(
      [&](auto&... slot) -> napi_value {
        [[maybe_unused]] const napi_value* next = values;
        if (!(slot.read(env, *static_cast<Lane*>(lane), next) && ...)) return nullptr;
        if constexpr (std::is_void_v<Result>) {
          callee(slot.get()...);
          return nullptr;
        } else {
          return toValue(env, callee(slot.get()...));
        }
      },
      slots);
}

template <auto callee>
struct Callback;

template <typename Result, typename... Parameters, Result (*callee)(Parameters...)>
struct Callback<callee> {
  static napi_value run(napi_env env, napi_callback_info info) {
    return perform<Result, Parameters...>(env, info, callee);
  }
};

template <typename Result, typename Class, typename... Parameters, Result (Class::*method)(Parameters...)>
struct Callback<method> {
  static napi_value run(napi_env env, napi_callback_info info) {
    return perform<Result, Class&, Parameters...>(
        env, info, [](Class& self, auto&... parameters) { return (self.*method)(parameters...); });
  }
};

template <typename Result, typename Class, typename... Parameters, Result (Class::*method)(Parameters...) const>
struct Callback<method> {
  static napi_value run(napi_env env, napi_callback_info info) {
    return perform<Result, Class&, Parameters...>(
        env, info, [](Class& self, auto&... parameters) { return (self.*method)(parameters...); });
  }
};

template <auto callee>
constexpr napi_callback call = Callback<callee>::run;

// The library that a call needs. Without it the call is not exported, and the JavaScript side throws an error that says
// why.
enum class Needs { nothing, libdispatch, openssl };

struct Call {
  const char* name;
  napi_callback callback;
  Needs needs = Needs::nothing;
};
using Calls = std::vector<Call>;

// The tables. Each is at the end of the file with its name.
Calls laneCalls();
Calls threadCalls();
Calls queueCalls();
Calls groupCalls();
Calls sourceCalls();
Calls cipherCalls();
Calls jobCalls();
Calls networkCalls();

}  // namespace dispatch_addon
