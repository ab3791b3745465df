// Batches as native jobs, on a queue of libdispatch or on a pinned thread.
#include "../glue/call.h"
#include "../queues/queue_handle.h"
#include "../threads/lane.h"
#include "../threads/pinned_thread.h"
#include "cipher_batch.h"

namespace dispatch_addon {
namespace {

using Kind = CipherBatch::Kind;

// A batch over the first `controlBytes` of the slab. Keys, nonces and associated data are copied, because JavaScript
// writes the next batch over them at once. `out` holds the results and then one status byte for each message.
std::unique_ptr<CipherBatch> readBatch(Lane& lane, uint32_t number, uint32_t count, uint32_t controlBytes,
                                       napi_value messages, const Bytes& out, uint32_t id, bool spread) {
  const auto outside = [&]() -> std::unique_ptr<CipherBatch> {
    failType(lane.env(), "a job lies outside of its slab");
    return nullptr;
  };
  const ControlSlab& control = lane.control();
  constexpr size_t first = ControlSlab::kFirstByte;
  if (controlBytes < first || controlBytes > control.length() || count > ControlSlab::kMaxJobs || count > out.length) {
    return outside();
  }
  const auto kind = static_cast<Kind>(number);
  const size_t resultBytes = out.length - count;
  std::vector<CipherBatch::Piece> pieces(count);
  for (uint32_t at = 0; at < count; at++) {
    Bytes data;
    if (!elementOf(lane.env(), messages, at, data)) return nullptr;
    const uint32_t* word = control.wordsOf(at);
    const size_t fixed = kind == Kind::mask ? kKeyBytes + kIvBytes : kKeyBytes + kNonceBytes;
    const bool keyed = kind != Kind::keccak;
    if (keyed && (word[0] < first || word[0] + fixed + word[1] > controlBytes)) return outside();
    if (word[2] + CipherBatch::outLength(kind, data.length) > resultBytes) return outside();
    const auto key = static_cast<uint32_t>(keyed ? word[0] - first : 0);
    pieces[at] = {key, word[1], data.data, data.length, out.data + word[2], out.data + resultBytes + at};
  }
  return std::make_unique<CipherBatch>(lane.inbox(), id, kind,
                                       std::vector<uint8_t>(control.data() + first, control.data() + controlBytes),
                                       std::move(pieces), spread ? Libdispatch::find() : nullptr);
}

// The slab is filled, for this call and the next.
void jobOnQueue(Lane& lane, QueueHandle& queue, uint32_t kind, uint32_t count, uint32_t controlBytes,
                napi_value messages, const Bytes& out, uint32_t id, bool spread) {
  auto batch = readBatch(lane, kind, count, controlBytes, messages, out, id, spread);
  if (batch == nullptr) return;
  lane.expectAnswer(id, queue.self());
  Job::submit(std::move(batch), queue.queue().dispatch(), queue.queue().object(), false);
}

// False if the thread was stopped.
bool jobOnThread(Lane& lane, PinnedThread& thread, uint32_t kind, uint32_t count, uint32_t controlBytes,
                 napi_value messages, const Bytes& out, uint32_t id, bool spread) {
  auto batch = readBatch(lane, kind, count, controlBytes, messages, out, id, spread);
  if (batch == nullptr || !thread.perform(std::move(batch))) return false;
  lane.expectAnswer(id, nullptr);
  return true;
}

Record statistics(Lane& lane) {
  const JobStatistics counted = jobStatistics();
  return Record(lane.env())
      .set("performed", static_cast<double>(counted.jobs))
      .set("threads", counted.threads)
      .set("mostAtOnce", counted.mostAtOnce);
}

}  // namespace

Calls jobCalls() {
  return {
      {"jobStatistics", call<statistics>},
      {"jobOnThread", call<jobOnThread>},
      {"jobOnQueue", call<jobOnQueue>, Needs::libdispatch},
  };
}

}  // namespace dispatch_addon
