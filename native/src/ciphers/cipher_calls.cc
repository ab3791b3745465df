// The ciphers as JavaScript calls them: one call for a batch, on the calling thread.
#include <cstring>

#include "../glue/call.h"
#include "../threads/lane.h"
#include "cipher_batch.h"
#include "keccak.h"

namespace dispatch_addon {
namespace {

using Kind = CipherBatch::Kind;

Record opensslInfo(Lane& lane) {
  const OpenSsl* openssl = OpenSsl::find();
  Record info(lane.env());
  info.set("found", openssl != nullptr);
  if (openssl != nullptr) return info.set("detail", openssl->versionText(0));
  return info.set("detail", std::string("this node exports no ") + OpenSsl::missing());
}

void attachControl(Lane& lane, napi_value array) {
  Bytes bytes;
  if (!fromValue(lane.env(), array, bytes)) return;
  if (reinterpret_cast<uintptr_t>(bytes.data) % alignof(uint32_t) != 0 || bytes.length <= ControlSlab::kFirstByte) {
    failType(lane.env(), "the slab is too small or not aligned");
  } else {
    lane.control().attach(lane.env(), array, bytes);
  }
}

// The slab is filled. Returns the number of refused jobs.
template <Kind kind>
napi_value batch(Lane& lane, uint32_t count, napi_value messages, const Bytes& out) {
  napi_env env = lane.env();
  const ControlSlab& control = lane.control();
  if (count > ControlSlab::kMaxJobs || control.length() == 0) return failType(env, "more jobs than the slab holds");
  Cipher& cipher = *lane.cipher();
  uint32_t refused = 0;
  for (uint32_t job = 0; job < count; job++) {
    Bytes data;
    if (!elementOf(env, messages, job, data)) return nullptr;
    uint32_t* word = control.wordsOf(job);
    const size_t at = word[0];
    const size_t associatedLength = word[1];
    const size_t outAt = word[2];
    // Only this package writes the slab, but a checked bound needs no trust.
    if (at + kKeyBytes + kNonceBytes + associatedLength > control.length() ||
        outAt + CipherBatch::outLength(kind, data.length) > out.length) {
      return failType(env, "a job lies outside of its slab");
    }
    const uint8_t* key = control.data() + at;
    const uint8_t* nonce = key + kKeyBytes;
    const uint8_t* associated = nonce + kNonceBytes;
    const auto act = kind == Kind::seal ? &Cipher::seal : &Cipher::open;
    const bool done =
        (cipher.*act)(key, nonce, associated, associatedLength, data.data, data.length, out.data + outAt);
    word[3] = done ? 1 : 0;
    if (!done) refused++;
  }
  return toValue(env, refused);
}

// The slab holds the key, the IV and `length` bytes, which are masked in place.
void mask(Lane& lane, uint32_t length) {
  const ControlSlab& control = lane.control();
  constexpr size_t start = kKeyBytes + kIvBytes;
  if (start + size_t{length} > control.length()) {
    failType(lane.env(), "more bytes than the slab holds");
    return;
  }
  uint8_t* key = control.data();
  uint8_t* data = key + start;
  if (!lane.cipher()->mask(key, key + kKeyBytes, data, length, data)) {
    fail(lane.env(), "ERR_CIPHER", "OpenSSL refused AES-128-CTR");
  }
}

// The digest replaces the first 32 bytes of the slab.
void hash(Lane& lane, const uint8_t* data, size_t length) {
  uint8_t digest[kDigestBytes];
  keccak256(data, length, digest);
  memcpy(lane.control().data(), digest, kDigestBytes);
}

// Hashes the first `length` bytes of the slab.
void keccakOfSlab(Lane& lane, uint32_t length) {
  const ControlSlab& control = lane.control();
  if (length > control.length() || control.length() < kDigestBytes) {
    failType(lane.env(), "more bytes than the slab holds");
  } else {
    hash(lane, control.data(), length);
  }
}

// Hashes data that is too long to be worth a copy into the slab.
void keccakOf(Lane& lane, const Bytes& data) {
  if (lane.control().length() < kDigestBytes) {
    failType(lane.env(), "no slab is attached");
  } else {
    hash(lane, data.data, data.length);
  }
}

}  // namespace

Calls cipherCalls() {
  return {
      {"opensslInfo", call<opensslInfo>},
      {"attachControl", call<attachControl>},
      {"keccak256", call<keccakOfSlab>},
      {"keccak256Of", call<keccakOf>},
      {"seal", call<batch<Kind::seal>>, Needs::openssl},
      {"open", call<batch<Kind::open>>, Needs::openssl},
      {"mask", call<mask>, Needs::openssl},
  };
}

}  // namespace dispatch_addon
