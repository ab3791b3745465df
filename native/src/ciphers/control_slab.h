// The control slab: the small things of a batch, as lib/ciphers/control-slab.js writes them. Asking Node-API for the
// key, the nonce and the associated data of every job would cost more than the cipher. Only the message itself is
// looked up, because it is read where it lies.
//
//   0               4096                                                     length
//   +---------------+--------------------+--------------------+---- - - - ---+
//   | words: 4 x 256| key nonce aad of 0 | key nonce aad of 1 |              |
//   +---------------+--------------------+--------------------+---- - - - ---+
//
//   u32[4 * job + 0]  where the job's key, nonce and associated data begin, in bytes from the start of the slab
//   u32[4 * job + 1]  length of the associated data
//   u32[4 * job + 2]  where the result begins in `out`
//   u32[4 * job + 3]  answer of a call on this thread: 1 done, 0 refused
#pragma once

#include "../glue/value.h"

namespace dispatch_addon {

class ControlSlab {
 public:
  static constexpr size_t kMaxJobs = 256;
  static constexpr size_t kWordsPerJob = 4;
  // Keys, nonces and associated data begin here.
  static constexpr size_t kFirstByte = kMaxJobs * kWordsPerJob * sizeof(uint32_t);

  void attach(napi_env env, napi_value array, Bytes bytes) {
    kept_.keep(env, array);
    bytes_ = bytes;
  }
  void detach(napi_env env) {
    kept_.drop(env);
    bytes_ = {};
  }

  uint8_t* data() const { return bytes_.data; }
  size_t length() const { return bytes_.length; }
  uint32_t* wordsOf(uint32_t job) const { return reinterpret_cast<uint32_t*>(bytes_.data) + kWordsPerJob * job; }

 private:
  Kept kept_;
  Bytes bytes_;
};

}  // namespace dispatch_addon
