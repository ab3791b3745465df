// The ciphers as native jobs. A batch owns all that it needs except the messages, which stay in JavaScript's memory;
// JavaScript keeps them until the answer.
#pragma once

#include <vector>

#include "cipher.h"
#include "../threads/job.h"

namespace dispatch_addon {

class CipherBatch : public Job {
 public:
  enum class Kind : uint32_t { seal = 0, open = 1, mask = 2, keccak = 3 };

  struct Piece {
    // Where key, nonce (for a mask: IV) and associated data begin in the control bytes.
    uint32_t at;
    uint32_t associatedLength;
    const uint8_t* data;
    size_t length;
    uint8_t* out;
    // 1 done, 0 refused.
    uint8_t* status;
  };

  // How many bytes a message of `length` becomes.
  static size_t outLength(Kind kind, size_t length);

  CipherBatch(std::shared_ptr<Inbox> inbox, uint32_t id, Kind kind, std::vector<uint8_t> control,
              std::vector<Piece> pieces, const Libdispatch* spread);

 protected:
  void work() override;

 private:
  void range(size_t from, size_t to);
  bool one(Cipher* cipher, const Piece& piece);

  Kind kind_;
  std::vector<uint8_t> control_;
  std::vector<Piece> pieces_;
  // If not null, dispatch_apply shares the batch among the cores.
  const Libdispatch* spread_;
};

}  // namespace dispatch_addon
