// AES-128-GCM and AES-128-CTR for many small messages: no Node-API here, so that any thread and the native test
// program can use it. One object belongs to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "openssl.h"

namespace dispatch_addon {

constexpr size_t kKeyBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kIvBytes = 16;

class Cipher {
 public:
  explicit Cipher(const OpenSsl& openssl) : openssl_(openssl) {}
  ~Cipher();
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  // Writes length + kTagBytes at `out`: the ciphertext, then the tag. `out` may be `in`. False where OpenSSL refuses.
  bool seal(const uint8_t* key, const uint8_t* nonce, const uint8_t* associated, size_t associatedLength,
            const uint8_t* in, size_t length, uint8_t* out);

  // `length` counts the tag at the end of `in`; writes length - kTagBytes at `out`. Where the tag does not hold, `out`
  // is cleared and the answer is false: unauthenticated plaintext is never left behind.
  bool open(const uint8_t* key, const uint8_t* nonce, const uint8_t* associated, size_t associatedLength,
            const uint8_t* in, size_t length, uint8_t* out);

  // AES-CTR: masks and unmasks. `out` may be `in`.
  bool mask(const uint8_t* key, const uint8_t* iv, const uint8_t* in, size_t length, uint8_t* out);

 private:
  // The schedule of a key and its table for GHASH cost about as much as a small message, and a node uses the same
  // session keys again and again. So contexts are kept by key, in a table without chains, which cannot grow.
  static constexpr size_t kSlots = 64;
  struct Slot {
    OpenSsl::Context* context = nullptr;
    std::array<uint8_t, kKeyBytes> key{};
    bool keyed = false;
  };
  enum class Direction { seal, open, mask };
  using Slots = std::array<Slot, kSlots>;

  OpenSsl::Context* prepare(Slots& slots, Direction direction, const uint8_t* key, const uint8_t* iv);
  void forget(Slots& slots);

  const OpenSsl& openssl_;
  Slots sealing_;
  Slots opening_;
  Slots masking_;
};

}  // namespace dispatch_addon
