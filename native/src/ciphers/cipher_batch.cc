#include "cipher_batch.h"

#include <algorithm>

#include "keccak.h"

namespace dispatch_addon {
namespace {

// Smaller shares are not worth the wake-up of another thread.
constexpr size_t kPiecesPerShare = 16;

// Contexts of a cipher are costly to make, so each thread of libdispatch keeps a cipher of its own.
Cipher* cipherOfThread() {
  const OpenSsl* openssl = OpenSsl::find();
  if (openssl == nullptr) return nullptr;
  thread_local Cipher cipher(*openssl);
  return &cipher;
}

}  // namespace

size_t CipherBatch::outLength(Kind kind, size_t length) {
  switch (kind) {
    case Kind::seal: return length + kTagBytes;
    case Kind::open: return length < kTagBytes ? 0 : length - kTagBytes;
    case Kind::mask: return length;
    case Kind::keccak: return kDigestBytes;
  }
  return 0;
}

CipherBatch::CipherBatch(std::shared_ptr<Inbox> inbox, uint32_t id, Kind kind, std::vector<uint8_t> control,
                         std::vector<Piece> pieces, const Libdispatch* spread)
    : Job(std::move(inbox), id),
      kind_(kind),
      control_(std::move(control)),
      pieces_(std::move(pieces)),
      spread_(spread) {}

void CipherBatch::work() {
  const size_t shares = spread_ == nullptr ? 1 : (pieces_.size() + kPiecesPerShare - 1) / kPiecesPerShare;
  if (shares <= 1) {
    range(0, pieces_.size());
    return;
  }
  spread_->applyF(shares, spread_->globalQueue(kQosDefault, 0), this, [](void* context, size_t share) {
    auto* batch = static_cast<CipherBatch*>(context);
    const size_t from = share * kPiecesPerShare;
    batch->range(from, std::min(from + kPiecesPerShare, batch->pieces_.size()));
  });
}

void CipherBatch::range(size_t from, size_t to) {
  Cipher* cipher = cipherOfThread();
  for (size_t at = from; at < to; at++) *pieces_[at].status = one(cipher, pieces_[at]) ? 1 : 0;
}

bool CipherBatch::one(Cipher* cipher, const Piece& piece) {
  if (kind_ == Kind::keccak) {
    keccak256(piece.data, piece.length, piece.out);
    return true;
  }
  if (cipher == nullptr) return false;
  const uint8_t* key = control_.data() + piece.at;
  const uint8_t* nonce = key + kKeyBytes;
  const uint8_t* associated = nonce + kNonceBytes;
  switch (kind_) {
    case Kind::seal:
      return cipher->seal(key, nonce, associated, piece.associatedLength, piece.data, piece.length, piece.out);
    case Kind::open:
      return cipher->open(key, nonce, associated, piece.associatedLength, piece.data, piece.length, piece.out);
    case Kind::mask:
      return cipher->mask(key, nonce, piece.data, piece.length, piece.out);
    default:
      return false;
  }
}

}  // namespace dispatch_addon
