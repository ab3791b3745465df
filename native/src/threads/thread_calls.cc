// Pinned threads as JavaScript calls them.
#include "../glue/call.h"
#include "lane.h"
#include "pinned_thread.h"

namespace dispatch_addon {
namespace {

// Returns the thread, or the reason why there is none. `cpu` -1 is any.
napi_value threadCreate(Lane& lane, const std::string& name, int32_t cpu, int32_t priority) {
  std::string refused;
  auto thread = PinnedThread::start(&lane, lane.inbox(), ThreadTraits{name, cpu, priority}, refused);
  return thread == nullptr ? toValue(lane.env(), refused) : toValue(lane.env(), std::move(thread));
}

// Applies to the calling thread, which is that of a Worker. Returns the refused traits.
std::string threadApplyHere(const std::string& name, int32_t cpu, int32_t priority) {
  return ThreadTraits{name, cpu, priority}.apply();
}

// The thread answers as job `id` when it ends. False if it was stopped before.
bool threadStop(Lane& lane, PinnedThread& thread, uint32_t id) {
  const bool stopping = thread.stop(id);
  if (stopping) lane.expectAnswer(id, nullptr);
  return stopping;
}

Record threadInfo(Lane& lane, PinnedThread& thread) {
  return Record(lane.env())
      .set("systemId", static_cast<double>(thread.systemId()))
      .set("refused", thread.refused());
}

}  // namespace

Calls threadCalls() {
  return {
      {"threadCreate", call<threadCreate>},
      {"threadApplyHere", call<threadApplyHere>},
      {"threadStop", call<threadStop>},
      {"threadJoin", call<&PinnedThread::join>},
      {"threadInfo", call<threadInfo>},
  };
}

}  // namespace dispatch_addon
