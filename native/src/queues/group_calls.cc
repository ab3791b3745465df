#include "group_calls.h"

#include <vector>

#include "../glue/box.h"
#include "../threads/lane.h"
#include "queue_handle.h"
#include "../glue/value.h"

namespace dispatch_addon {
namespace {

// A group of one lane. It counts as libdispatch does, because libdispatch ends the process on a leave too many.
class GroupHandle {
 public:
  explicit GroupHandle(const Libdispatch& dispatch) : dispatch_(dispatch), group_(dispatch.groupCreate()) {}

  ~GroupHandle() {
    // A group that is let go while entered ends the process, too. What it would have notified then runs.
    for (; entered_ > 0; entered_--) dispatch_.groupLeave(group_);
    dispatch_.release(group_);
  }

  void enter() {
    entered_++;
    dispatch_.groupEnter(group_);
  }

  bool leave() {
    if (entered_ == 0) return false;
    if (--entered_ == 0) {
      for (const Waiting& waiting : waiting_) waiting.queue->due(waiting.item);
      waiting_.clear();
    }
    dispatch_.groupLeave(group_);
    return true;
  }

  void notify(const std::shared_ptr<QueueHandle>& queue, uint32_t item) {
    QueueHandle::Later* later = queue->later(item);
    if (entered_ == 0) {
      queue->due(later);
    } else {
      waiting_.push_back({queue->self(), later});
    }
    dispatch_.groupNotifyF(group_, queue->queue().object(), later, QueueHandle::runLater);
  }

 private:
  struct Waiting {
    std::shared_ptr<QueueHandle> queue;
    QueueHandle::Later* item;
  };

  const Libdispatch& dispatch_;
  Libdispatch::Group group_;
  int entered_ = 0;
  std::vector<Waiting> waiting_;
};

std::shared_ptr<GroupHandle> groupOf(napi_env env, napi_value value) {
  return unbox<GroupHandle>(env, BoxType::group, value);
}

napi_value groupCreate(napi_env env, napi_callback_info) {
  return box(env, BoxType::group, std::make_shared<GroupHandle>(*Libdispatch::find()));
}

napi_value groupEnter(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto group = groupOf(env, args[0]);
  if (group != nullptr) group->enter();
  return nullptr;
}

// (group): false where nobody has entered.
napi_value groupLeave(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto group = groupOf(env, args[0]);
  return group == nullptr ? nullptr : makeBool(env, group->leave());
}

// (group, queue, item)
napi_value groupNotify(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  const auto group = groupOf(env, args[0]);
  const auto queue = group == nullptr ? nullptr : unbox<QueueHandle>(env, BoxType::queue, args[1]);
  uint32_t item = 0;
  if (queue != nullptr && readUint32(env, args[2], item)) group->notify(queue, item);
  return nullptr;
}

}  // namespace

void installGroupCalls(napi_env env, napi_value exports, Lane& lane) {
  if (Libdispatch::find() == nullptr) return;
  setFunction(env, exports, "groupCreate", groupCreate, &lane);
  setFunction(env, exports, "groupEnter", groupEnter, &lane);
  setFunction(env, exports, "groupLeave", groupLeave, &lane);
  setFunction(env, exports, "groupNotify", groupNotify, &lane);
}

}  // namespace dispatch_addon
