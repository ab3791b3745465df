#include "job_calls.h"

#include "../glue/box.h"
#include "../ciphers/cipher_batch.h"
#include "lane.h"
#include "pinned_thread.h"
#include "../queues/queue_handle.h"
#include "../glue/value.h"

namespace dispatch_addon {
namespace {

// A batch over the first `controlBytes` of the slab. Keys, nonces and associated data are copied, because JavaScript writes
// the next batch over them at once. `out` holds the results and then one status byte for each message.
std::unique_ptr<CipherBatch> readBatch(napi_env env, Lane& lane, const Arguments<8>& args) {
  uint32_t kind = 0;
  uint32_t count = 0;
  uint32_t controlBytes = 0;
  uint32_t id = 0;
  bool spread = false;
  Bytes out;
  if (!readUint32(env, args[1], kind) || !readUint32(env, args[2], count) || !readUint32(env, args[3], controlBytes) ||
      !readBytes(env, args[5], out) || !readUint32(env, args[6], id) || !readBool(env, args[7], spread)) {
    return nullptr;
  }
  const auto outside = [&]() -> std::unique_ptr<CipherBatch> {
    failType(env, "a job lies outside of its slab");
    return nullptr;
  };
  const ControlSlab& control = lane.cipherCalls().control();
  constexpr size_t first = ControlSlab::kFirstByte;
  if (controlBytes < first || controlBytes > control.length || count > ControlSlab::kMaxJobs || count > out.length) {
    return outside();
  }
  const auto batchKind = static_cast<CipherBatch::Kind>(kind);
  const size_t resultBytes = out.length - count;
  std::vector<CipherBatch::Piece> pieces(count);
  for (uint32_t at = 0; at < count; at++) {
    napi_value element = nullptr;
    Bytes data;
    if (napi_get_element(env, args[4], at, &element) != napi_ok || !readBytes(env, element, data)) return nullptr;
    const uint32_t* word = control.wordsOf(at);
    const size_t fixed = batchKind == CipherBatch::Kind::mask ? kKeyBytes + kIvBytes : kKeyBytes + kNonceBytes;
    const size_t length = CipherBatch::outLength(batchKind, data.length);
    const bool keyed = batchKind != CipherBatch::Kind::keccak;
    if (keyed && (word[0] < first || word[0] + fixed + word[1] > controlBytes)) return outside();
    if (word[2] + length > resultBytes) return outside();
    const auto key = static_cast<uint32_t>(keyed ? word[0] - first : 0);
    pieces[at] = {key, word[1], data.data, data.length, out.data + word[2], out.data + resultBytes + at};
  }
  return std::make_unique<CipherBatch>(lane.inbox(), id, batchKind,
                                       std::vector<uint8_t>(control.data + first, control.data + controlBytes),
                                       std::move(pieces), spread ? Libdispatch::find() : nullptr);
}

// (queue, kind, count, controlBytes, datas, out, id, spread) with the slab filled.
napi_value jobOnQueue(napi_env env, napi_callback_info info) {
  Arguments<8> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  const auto queue = unbox<QueueHandle>(env, BoxType::queue, args[0]);
  auto batch = queue == nullptr ? nullptr : readBatch(env, *lane, args);
  if (batch == nullptr) return nullptr;
  lane->expectAnswer(batch->id(), queue->self());
  Job::submit(std::move(batch), queue->queue().dispatch(), queue->queue().object(), false);
  return nullptr;
}

// The same with a thread. Answers false where the thread has been stopped.
napi_value jobOnThread(napi_env env, napi_callback_info info) {
  Arguments<8> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  const auto thread = unbox<PinnedThread>(env, BoxType::thread, args[0]);
  auto batch = thread == nullptr ? nullptr : readBatch(env, *lane, args);
  if (batch == nullptr) return nullptr;
  const uint32_t id = batch->id();
  const bool taken = thread->perform(std::move(batch));
  if (taken) lane->expectAnswer(id, nullptr);
  return makeBool(env, taken);
}

bool readTraits(napi_env env, const Arguments<3>& args, ThreadTraits& traits) {
  return readString(env, args[0], traits.name) && readInt32(env, args[1], traits.cpu) &&
         readInt32(env, args[2], traits.priority);
}

// (name, cpu or -1, priority): the thread, or why there is none.
napi_value threadCreate(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  ThreadTraits traits;
  if (!readTraits(env, args, traits)) return nullptr;
  auto* lane = static_cast<Lane*>(args.data());
  std::string refused;
  auto thread = PinnedThread::start(lane, lane->inbox(), std::move(traits), refused);
  return thread == nullptr ? makeString(env, refused) : box(env, BoxType::thread, std::move(thread));
}

// (name, cpu or -1, priority): applies to the calling thread, which is a Worker's own. Answers what was refused.
napi_value threadApplyHere(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  ThreadTraits traits;
  return readTraits(env, args, traits) ? makeString(env, traits.apply()) : nullptr;
}

// (thread, id): the answer of job `id` says that it has ended. False where it was stopped before.
napi_value threadStop(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  auto* lane = static_cast<Lane*>(args.data());
  const auto thread = unbox<PinnedThread>(env, BoxType::thread, args[0]);
  uint32_t id = 0;
  if (thread == nullptr || !readUint32(env, args[1], id)) return nullptr;
  const bool stopping = thread->stop(id);
  if (stopping) lane->expectAnswer(id, nullptr);
  return makeBool(env, stopping);
}

// (thread): waits for its end, which is near once the answer of threadStop is there.
napi_value threadJoin(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto thread = unbox<PinnedThread>(env, BoxType::thread, args[0]);
  if (thread != nullptr) thread->join();
  return nullptr;
}

napi_value threadInfo(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto thread = unbox<PinnedThread>(env, BoxType::thread, args[0]);
  if (thread == nullptr) return nullptr;
  napi_value object = nullptr;
  napi_create_object(env, &object);
  setProperty(env, object, "systemId", makeDouble(env, static_cast<double>(thread->systemId())));
  setProperty(env, object, "refused", makeString(env, thread->refused()));
  return object;
}

napi_value statistics(napi_env env, napi_callback_info) {
  const JobStatistics counted = jobStatistics();
  napi_value object = nullptr;
  napi_create_object(env, &object);
  setProperty(env, object, "performed", makeDouble(env, static_cast<double>(counted.jobs)));
  setProperty(env, object, "threads", makeUint32(env, counted.threads));
  setProperty(env, object, "mostAtOnce", makeUint32(env, counted.mostAtOnce));
  return object;
}

}  // namespace

void installJobCalls(napi_env env, napi_value exports, Lane& lane) {
  setFunction(env, exports, "jobOnThread", jobOnThread, &lane);
  setFunction(env, exports, "threadCreate", threadCreate, &lane);
  setFunction(env, exports, "threadApplyHere", threadApplyHere, &lane);
  setFunction(env, exports, "threadStop", threadStop, &lane);
  setFunction(env, exports, "threadJoin", threadJoin, &lane);
  setFunction(env, exports, "threadInfo", threadInfo, &lane);
  setFunction(env, exports, "jobStatistics", statistics, &lane);
  if (Libdispatch::find() != nullptr) setFunction(env, exports, "jobOnQueue", jobOnQueue, &lane);
}

}  // namespace dispatch_addon
