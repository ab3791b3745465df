#include "keccak.h"

#include <cstring>

namespace dispatch_addon {
namespace {

constexpr size_t kRateBytes = 136;
constexpr int kRounds = 24;

constexpr uint64_t kRoundConstants[kRounds] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

inline uint64_t rotate(uint64_t word, int by) { return by == 0 ? word : (word << by) | (word >> (64 - by)); }

// The offsets of rho by lane x + 5y.
constexpr int kOffsets[25] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                              25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

// The loops have constant bounds and constant indices after unrolling, so the 25 lanes stay in registers.
#if defined(__clang__)
#define DISPATCH_ADDON_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define DISPATCH_ADDON_UNROLL _Pragma("GCC unroll 25")
#else
#define DISPATCH_ADDON_UNROLL
#endif

void permute(uint64_t state[25]) {
  uint64_t a[25];
  memcpy(a, state, sizeof(a));
  for (int round = 0; round < kRounds; round++) {
    uint64_t column[5];
    uint64_t b[25];
    DISPATCH_ADDON_UNROLL
    for (int x = 0; x < 5; x++) column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    DISPATCH_ADDON_UNROLL
    for (int lane = 0; lane < 25; lane++) {
      const int x = lane % 5;
      const int y = lane / 5;
      const uint64_t theta = a[lane] ^ column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1);
      b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(theta, kOffsets[lane]);
    }
    DISPATCH_ADDON_UNROLL
    for (int lane = 0; lane < 25; lane++) {
      const int x = lane % 5;
      const int row = lane - x;
      a[lane] = b[lane] ^ (~b[row + (x + 1) % 5] & b[row + (x + 2) % 5]);
    }
    a[0] ^= kRoundConstants[round];
  }
  memcpy(state, a, sizeof(a));
}

// Lanes are little-endian (FIPS 202, section 3.1.2); every platform node runs libdispatch on is, too.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keccak256 reads its lanes as they lie in memory");

void absorb(uint64_t state[25], const uint8_t* block) {
  for (size_t lane = 0; lane < kRateBytes / 8; lane++) {
    uint64_t word;
    memcpy(&word, block + 8 * lane, sizeof(word));
    state[lane] ^= word;
  }
  permute(state);
}

}  // namespace

void keccak256(const uint8_t* data, size_t length, uint8_t* digest) {
  uint64_t state[25] = {};
  while (length >= kRateBytes) {
    absorb(state, data);
    data += kRateBytes;
    length -= kRateBytes;
  }
  uint8_t last[kRateBytes] = {};
  if (length > 0) memcpy(last, data, length);
  last[length] = 0x01;
  last[kRateBytes - 1] |= 0x80;
  absorb(state, last);
  memcpy(digest, state, kDigestBytes);
}

}  // namespace dispatch_addon
