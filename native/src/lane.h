// A lane: one JavaScript thread (the main thread or a Worker) as this addon sees it. It owns everything that belongs to
// its environment and ends with it.
#pragma once

#include <node_api.h>

#include "cipher_calls.h"

namespace dispatch_addon {

class Lane {
 public:
  static napi_value install(napi_env env, napi_value exports);

  explicit Lane(napi_env env);

 private:
  static void finalize(napi_env env, void* data, void* hint);

  napi_env env_;
  CipherCalls cipherCalls_;
};

}  // namespace dispatch_addon
