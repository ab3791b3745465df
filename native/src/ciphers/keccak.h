// keccak-256 as Ethereum uses it: the original padding 0x01, not SHA-3's 0x06. OpenSSL's own KECCAK-256 came only with
// 3.2, so the permutation (FIPS 202, section 3) is here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dispatch_addon {

constexpr size_t kDigestBytes = 32;

void keccak256(const uint8_t* data, size_t length, uint8_t* digest);

}  // namespace dispatch_addon
