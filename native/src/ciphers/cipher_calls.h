// The ciphers as JavaScript calls them: one call for a batch, on the calling thread.
#pragma once

#include <node_api.h>

#include <memory>

#include "cipher.h"

namespace dispatch_addon {

// The control slab, which lib/ciphers/control-slab.js writes and this side reads: asking Node-API for the key, the nonce and the
// associated data of every job would cost more than the cipher. Only the message itself is looked up, because it is read
// where it lies. The slab begins with words for kMaxJobs jobs:
//
//   u32[4 * job + 0]  where the job's key, nonce and associated data begin, in bytes from the start of the slab
//   u32[4 * job + 1]  length of the associated data
//   u32[4 * job + 2]  where the result begins in `out`
//   u32[4 * job + 3]  answer of a call on this thread: 1 done, 0 refused
struct ControlSlab {
  static constexpr size_t kMaxJobs = 256;
  static constexpr size_t kWordsPerJob = 4;
  // Keys, nonces and associated data begin here.
  static constexpr size_t kFirstByte = kMaxJobs * kWordsPerJob * sizeof(uint32_t);

  uint8_t* data = nullptr;
  size_t length = 0;

  uint32_t* wordsOf(uint32_t job) const { return reinterpret_cast<uint32_t*>(data) + kWordsPerJob * job; }
};

// What one JavaScript thread keeps for its calls. Owned by its Lane, so it dies with the environment.
class CipherCalls {
 public:
  explicit CipherCalls(const OpenSsl* openssl);
  ~CipherCalls();

  // Adds opensslInfo, attachControl, keccak256 and keccak256Of to `exports`; seal, open and mask only with OpenSSL.
  void install(napi_env env, napi_value exports);
  void release(napi_env env);
  const ControlSlab& control() const { return control_; }

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
  ControlSlab control_;
};

}  // namespace dispatch_addon
