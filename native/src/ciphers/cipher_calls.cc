#include "cipher_calls.h"

#include <cstring>

#include "keccak.h"
#include "../glue/value.h"

namespace dispatch_addon {
CipherCalls::CipherCalls(const OpenSsl* openssl) {
  if (openssl != nullptr) cipher_ = std::make_unique<Cipher>(*openssl);
}

CipherCalls::~CipherCalls() = default;

void CipherCalls::install(napi_env env, napi_value exports) {
  setFunction(env, exports, "opensslInfo", opensslInfo, this);
  setFunction(env, exports, "attachControl", attachControl, this);
  setFunction(env, exports, "keccak256", keccak, this);
  setFunction(env, exports, "keccak256Of", keccakOf, this);
  if (cipher_ == nullptr) return;
  setFunction(env, exports, "seal", seal, this);
  setFunction(env, exports, "open", open, this);
  setFunction(env, exports, "mask", mask, this);
}

void CipherCalls::release(napi_env env) {
  if (controlReference_ != nullptr) napi_delete_reference(env, controlReference_);
  controlReference_ = nullptr;
  control_ = {};
}

napi_value CipherCalls::opensslInfo(napi_env env, napi_callback_info) {
  const OpenSsl* openssl = OpenSsl::find();
  napi_value info = nullptr;
  napi_create_object(env, &info);
  setProperty(env, info, "found", makeBool(env, openssl != nullptr));
  const std::string detail =
      openssl != nullptr ? openssl->versionText(0) : std::string("this node exports no ") + OpenSsl::missing();
  setProperty(env, info, "detail", makeString(env, detail));
  return info;
}

napi_value CipherCalls::attachControl(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto* calls = static_cast<CipherCalls*>(args.data());
  Bytes bytes;
  if (!readBytes(env, args[0], bytes)) return nullptr;
  if (reinterpret_cast<uintptr_t>(bytes.data) % alignof(uint32_t) != 0 || bytes.length <= ControlSlab::kFirstByte) {
    return failType(env, "the slab is too small or not aligned");
  }
  calls->release(env);
  if (napi_create_reference(env, args[0], 1, &calls->controlReference_) != napi_ok) return nullptr;
  calls->control_ = {bytes.data, bytes.length};
  return nullptr;
}

// (count, datas, out) with the slab filled. Answers the number of jobs that were refused.
napi_value CipherCalls::batch(napi_env env, napi_callback_info info, bool sealing) {
  Arguments<3> args(env, info);
  auto* calls = static_cast<CipherCalls*>(args.data());
  uint32_t count = 0;
  Bytes out;
  if (!readUint32(env, args[0], count) || !readBytes(env, args[2], out)) return nullptr;
  const ControlSlab& control = calls->control_;
  if (count > ControlSlab::kMaxJobs || control.length == 0) return failType(env, "more jobs than the slab holds");
  uint32_t refused = 0;
  for (uint32_t job = 0; job < count; job++) {
    napi_value element = nullptr;
    Bytes data;
    if (napi_get_element(env, args[1], job, &element) != napi_ok || !readBytes(env, element, data)) return nullptr;
    uint32_t* word = control.wordsOf(job);
    const size_t at = word[0];
    const size_t associatedLength = word[1];
    const size_t outAt = word[2];
    const size_t outLength = sealing ? data.length + kTagBytes : data.length < kTagBytes ? 0 : data.length - kTagBytes;
    // The slab is the package's own, but a bound that is checked needs no trust.
    if (at + kKeyBytes + kNonceBytes + associatedLength > control.length || outAt + outLength > out.length) {
      return failType(env, "a job lies outside of its slab");
    }
    const uint8_t* key = control.data + at;
    const uint8_t* nonce = key + kKeyBytes;
    const uint8_t* associated = nonce + kNonceBytes;
    Cipher& cipher = *calls->cipher_;
    const bool done =
        sealing ? cipher.seal(key, nonce, associated, associatedLength, data.data, data.length, out.data + outAt)
                : cipher.open(key, nonce, associated, associatedLength, data.data, data.length, out.data + outAt);
    word[3] = done ? 1 : 0;
    if (!done) refused++;
  }
  return makeUint32(env, refused);
}

napi_value CipherCalls::seal(napi_env env, napi_callback_info info) { return batch(env, info, true); }

napi_value CipherCalls::open(napi_env env, napi_callback_info info) { return batch(env, info, false); }

// (length): the slab holds the key, the IV and `length` bytes, which are masked in place.
napi_value CipherCalls::mask(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto* calls = static_cast<CipherCalls*>(args.data());
  uint32_t length = 0;
  if (!readUint32(env, args[0], length)) return nullptr;
  if (kKeyBytes + kIvBytes + static_cast<size_t>(length) > calls->control_.length) {
    return failType(env, "more bytes than the slab holds");
  }
  uint8_t* key = calls->control_.data;
  uint8_t* data = key + kKeyBytes + kIvBytes;
  if (!calls->cipher_->mask(key, key + kKeyBytes, data, length, data)) {
    return fail(env, "ERR_CIPHER", "OpenSSL refused AES-128-CTR");
  }
  return nullptr;
}

// (length): the digest replaces the first 32 bytes of the slab, which held the data.
napi_value CipherCalls::keccak(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto* calls = static_cast<CipherCalls*>(args.data());
  uint32_t length = 0;
  if (!readUint32(env, args[0], length)) return nullptr;
  if (length > calls->control_.length || calls->control_.length < kDigestBytes) {
    return failType(env, "more bytes than the slab holds");
  }
  uint8_t digest[kDigestBytes];
  keccak256(calls->control_.data, length, digest);
  memcpy(calls->control_.data, digest, kDigestBytes);
  return nullptr;
}

// (data): the same, for data that is too long to be worth a copy into the slab.
napi_value CipherCalls::keccakOf(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto* calls = static_cast<CipherCalls*>(args.data());
  Bytes data;
  if (!readBytes(env, args[0], data)) return nullptr;
  if (calls->control_.length < kDigestBytes) return failType(env, "no slab is attached");
  keccak256(data.data, data.length, calls->control_.data);
  return nullptr;
}

}  // namespace dispatch_addon
