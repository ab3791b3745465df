// Native objects as JavaScript holds them: an external value that shares ownership and knows its type.
#pragma once

#include <node_api.h>

#include <memory>

#include "value.h"

namespace dispatch_addon {

enum class BoxType : uint32_t {
  queue = 0x71756575,
  remote = 0x72656d6f,
  group = 0x67726f75,
  source = 0x736f7572,
  thread = 0x74687264,
  path = 0x70617468,
  connection = 0x636f6e6e,
  listener = 0x6c697374,
};

struct Box {
  BoxType type;
  std::shared_ptr<void> content;
};

template <typename T>
napi_value box(napi_env env, BoxType type, std::shared_ptr<T> content) {
  auto* held = new Box{type, std::move(content)};
  napi_value value = nullptr;
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Box*>(data); };
  if (napi_create_external(env, held, finalize, nullptr, &value) != napi_ok) {
    delete held;
    return fail(env, "ERR_ADDON", "napi_create_external refused");
  }
  return value;
}

// An empty pointer, with an exception pending, where `value` is no box of this type.
template <typename T>
std::shared_ptr<T> unbox(napi_env env, BoxType type, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(env, value, &data) != napi_ok || static_cast<Box*>(data)->type != type) {
    failType(env, "expected another native object");
    return nullptr;
  }
  return std::static_pointer_cast<T>(static_cast<Box*>(data)->content);
}

}  // namespace dispatch_addon
