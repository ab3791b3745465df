// JavaScript values in C++, and back. One convention: a function that fails leaves a JavaScript exception pending and
// answers false or a null value, so its caller returns at once.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dispatch_addon {

// The elements of a typed array, in the memory of JavaScript.
template <typename T>
struct View {
  T* data = nullptr;
  size_t length = 0;
};
using Bytes = View<uint8_t>;
using Words = View<uint32_t>;

// Throws an Error whose `code` is `code`; the JavaScript side of the package turns codes into documented errors.
napi_value fail(napi_env env, const char* code, const std::string& message);
napi_value failType(napi_env env, const std::string& message);

bool fromValue(napi_env env, napi_value value, bool& out);
bool fromValue(napi_env env, napi_value value, uint32_t& out);
bool fromValue(napi_env env, napi_value value, int32_t& out);
bool fromValue(napi_env env, napi_value value, double& out);
bool fromValue(napi_env env, napi_value value, std::string& out);
bool fromValue(napi_env env, napi_value value, Bytes& out);
bool fromValue(napi_env env, napi_value value, Words& out);
// For calls that look at a value themselves.
inline bool fromValue(napi_env, napi_value value, napi_value& out) { return (out = value) != nullptr; }
bool isUndefined(napi_env env, napi_value value);
bool isFunction(napi_env env, napi_value value);

template <typename T>
bool fromValue(napi_env env, napi_value value, std::optional<T>& out) {
  return isUndefined(env, value) || fromValue(env, value, out.emplace());
}

// An element of an array of Uint8Array: batches are read one by one, so that none costs an allocation.
bool elementOf(napi_env env, napi_value array, uint32_t at, Bytes& out);

napi_value toValue(napi_env env, bool flag);
napi_value toValue(napi_env env, uint32_t number);
napi_value toValue(napi_env env, int32_t number);
napi_value toValue(napi_env env, double number);
napi_value toValue(napi_env env, const std::string& text);
napi_value toValue(napi_env env, const char* text);
// A copy, as a Uint8Array.
napi_value toValue(napi_env env, const std::vector<uint8_t>& bytes);
inline napi_value toValue(napi_env, napi_value value) { return value; }
napi_value makeUndefined(napi_env env);

template <typename T>
napi_value toValue(napi_env env, const std::optional<T>& value) {
  return value.has_value() ? toValue(env, *value) : makeUndefined(env);
}

template <typename T>
napi_value toValue(napi_env env, const std::vector<T>& values) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, values.size(), &array);
  uint32_t at = 0;
  for (const T& value : values) napi_set_element(env, array, at++, toValue(env, value));
  return array;
}

// An object under construction.
class Record {
 public:
  explicit Record(napi_env env) : env_(env) { napi_create_object(env, &value_); }

  template <typename T>
  Record& set(const char* name, const T& value) {
    napi_set_named_property(env_, value_, name, toValue(env_, value));
    return *this;
  }

  napi_value value() const { return value_; }

 private:
  napi_env env_;
  napi_value value_ = nullptr;
};

inline napi_value toValue(napi_env, const Record& record) { return record.value(); }

// Frees the handles that are made during its lifetime. False if the environment is ending and makes no more.
class Scope {
 public:
  explicit Scope(napi_env env) : env_(env) { napi_open_handle_scope(env, &scope_); }
  ~Scope() {
    if (scope_ != nullptr) napi_close_handle_scope(env_, scope_);
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  explicit operator bool() const { return scope_ != nullptr; }

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

// A value that outlives the call that brought it. Dropped before its environment ends.
class Kept {
 public:
  void keep(napi_env env, napi_value value) {
    drop(env);
    napi_create_reference(env, value, 1, &reference_);
  }
  void drop(napi_env env) {
    if (reference_ != nullptr) napi_delete_reference(env, reference_);
    reference_ = nullptr;
  }
  // A null value where nothing is kept.
  napi_value value(napi_env env) const {
    napi_value value = nullptr;
    if (reference_ != nullptr) napi_get_reference_value(env, reference_, &value);
    return value;
  }

 private:
  napi_ref reference_ = nullptr;
};

}  // namespace dispatch_addon
