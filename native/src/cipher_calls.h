// The ciphers as JavaScript calls them: one call for a batch, on the calling thread.
#pragma once

#include <node_api.h>

#include <memory>

#include "cipher.h"

namespace dispatch_addon {

// What one JavaScript thread keeps for its calls. Owned by its Lane, so it dies with the environment.
class CipherCalls {
 public:
  explicit CipherCalls(const OpenSsl* openssl);
  ~CipherCalls();

  // Adds opensslInfo, attachControl, keccak256 and keccak256Of to `exports`; seal, open and mask only with OpenSSL.
  void install(napi_env env, napi_value exports);
  void release(napi_env env);

 private:
  static napi_value opensslInfo(napi_env env, napi_callback_info info);
  static napi_value attachControl(napi_env env, napi_callback_info info);
  static napi_value seal(napi_env env, napi_callback_info info);
  static napi_value open(napi_env env, napi_callback_info info);
  static napi_value mask(napi_env env, napi_callback_info info);
  static napi_value keccak(napi_env env, napi_callback_info info);
  static napi_value keccakOf(napi_env env, napi_callback_info info);
  static napi_value batch(napi_env env, napi_callback_info info, bool sealing);

  std::unique_ptr<Cipher> cipher_;
  napi_ref controlReference_ = nullptr;
  uint8_t* control_ = nullptr;
  size_t controlBytes_ = 0;
};

}  // namespace dispatch_addon
