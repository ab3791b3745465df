#include "cipher.h"

#include <climits>
#include <cstring>

namespace dispatch_addon {
namespace {

size_t slotOf(const uint8_t* key) {
  // Keys come from a key derivation, so any of their bits serve as a hash.
  return key[0] ^ (key[7] >> 1);
}

// A compiler may remove a memset of memory that is freed next, but not a volatile store.
void wipe(void* memory, size_t length) {
  auto* bytes = static_cast<volatile uint8_t*>(memory);
  for (size_t at = 0; at < length; at++) bytes[at] = 0;
}

}  // namespace

Cipher::~Cipher() {
  forget(sealing_);
  forget(opening_);
  forget(masking_);
}

void Cipher::forget(Slots& slots) {
  for (auto& slot : slots) {
    if (slot.context != nullptr) openssl_.contextFree(slot.context);
    wipe(slot.key.data(), slot.key.size());
  }
}

OpenSsl::Context* Cipher::prepare(Slots& slots, Direction direction, const uint8_t* key, const uint8_t* iv) {
  Slot& slot = slots[slotOf(key) % kSlots];
  const auto init = direction == Direction::open ? openssl_.decryptInit : openssl_.encryptInit;
  if (slot.keyed && memcmp(slot.key.data(), key, kKeyBytes) == 0) {
    if (init(slot.context, nullptr, nullptr, nullptr, iv) == 1) return slot.context;
    slot.keyed = false;
    return nullptr;
  }
  if (slot.context == nullptr) {
    slot.context = openssl_.contextNew();
    if (slot.context == nullptr) return nullptr;
    const auto* cipher = direction == Direction::mask ? openssl_.aes128Ctr() : openssl_.aes128Gcm();
    if (init(slot.context, cipher, nullptr, key, iv) != 1) return nullptr;
  } else if (init(slot.context, nullptr, nullptr, key, iv) != 1) {
    slot.keyed = false;
    return nullptr;
  }
  memcpy(slot.key.data(), key, kKeyBytes);
  slot.keyed = true;
  return slot.context;
}

bool Cipher::seal(const uint8_t* key, const uint8_t* nonce, const uint8_t* associated, size_t associatedLength,
                  const uint8_t* in, size_t length, uint8_t* out) {
  if (length > INT_MAX - kTagBytes || associatedLength > INT_MAX) return false;
  OpenSsl::Context* context = prepare(sealing_, Direction::seal, key, nonce);
  if (context == nullptr) return false;
  int written = 0;
  if (associatedLength > 0 &&
      openssl_.encryptUpdate(context, nullptr, &written, associated, static_cast<int>(associatedLength)) != 1) {
    return false;
  }
  if (length > 0 && openssl_.encryptUpdate(context, out, &written, in, static_cast<int>(length)) != 1) return false;
  if (openssl_.encryptFinal(context, out + length, &written) != 1) return false;
  return openssl_.contextControl(context, kControlGetTag, kTagBytes, out + length) == 1;
}

bool Cipher::open(const uint8_t* key, const uint8_t* nonce, const uint8_t* associated, size_t associatedLength,
                  const uint8_t* in, size_t length, uint8_t* out) {
  if (length < kTagBytes || length > INT_MAX || associatedLength > INT_MAX) return false;
  const size_t plain = length - kTagBytes;
  OpenSsl::Context* context = prepare(opening_, Direction::open, key, nonce);
  if (context == nullptr) return false;
  int written = 0;
  if (associatedLength > 0 &&
      openssl_.decryptUpdate(context, nullptr, &written, associated, static_cast<int>(associatedLength)) != 1) {
    return false;
  }
  // The tag is copied first: `out` may be `in`, and OpenSSL's control takes a pointer that is not const.
  uint8_t tag[kTagBytes];
  memcpy(tag, in + plain, kTagBytes);
  const bool held =
      (plain == 0 || openssl_.decryptUpdate(context, out, &written, in, static_cast<int>(plain)) == 1) &&
      openssl_.contextControl(context, kControlSetTag, kTagBytes, tag) == 1 &&
      openssl_.decryptFinal(context, out + plain, &written) == 1;
  if (!held) wipe(out, plain);
  return held;
}

bool Cipher::mask(const uint8_t* key, const uint8_t* iv, const uint8_t* in, size_t length, uint8_t* out) {
  if (length > INT_MAX) return false;
  OpenSsl::Context* context = prepare(masking_, Direction::mask, key, iv);
  if (context == nullptr) return false;
  int written = 0;
  return length == 0 || openssl_.encryptUpdate(context, out, &written, in, static_cast<int>(length)) == 1;
}

}  // namespace dispatch_addon
