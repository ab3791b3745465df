// Native objects as JavaScript holds them: an external value that shares ownership of the object and knows its type.
#pragma once

#include <memory>

#include "value.h"

namespace dispatch_addon {

// Its address identifies the type T, and this copy of the addon.
template <typename T>
inline char boxTag = 0;

struct Box {
  const void* tag;
  std::shared_ptr<void> content;
};

// An empty pointer becomes undefined.
template <typename T>
napi_value toValue(napi_env env, std::shared_ptr<T> content) {
  if (content == nullptr) return makeUndefined(env);
  auto* held = new Box{&boxTag<T>, std::move(content)};
  napi_value value = nullptr;
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Box*>(data); };
  if (napi_create_external(env, held, finalize, nullptr, &value) == napi_ok) return value;
  delete held;
  return fail(env, "ERR_ADDON", "napi_create_external refused");
}

// nullptr, with an exception pending, where `value` is no box of this type. The box keeps the object for the call.
template <typename T>
T* unbox(napi_env env, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(env, value, &data) == napi_ok && static_cast<Box*>(data)->tag == &boxTag<T>) {
    return static_cast<T*>(static_cast<Box*>(data)->content.get());
  }
  failType(env, "expected another native object");
  return nullptr;
}

}  // namespace dispatch_addon
