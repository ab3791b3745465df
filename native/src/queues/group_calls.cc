// dispatch_group_t as JavaScript calls it.
#include "../glue/call.h"
#include "../threads/lane.h"
#include "queue_handle.h"

namespace dispatch_addon {
namespace {

// A group of one lane. It counts as libdispatch does, because libdispatch ends the process on an unbalanced leave.
class GroupHandle {
 public:
  explicit GroupHandle(const Libdispatch& dispatch) : dispatch_(dispatch), group_(dispatch.groupCreate()) {}
  GroupHandle(const GroupHandle&) = delete;
  GroupHandle& operator=(const GroupHandle&) = delete;

  ~GroupHandle() {
    // libdispatch also ends the process if an entered group is released. Leaving it runs its notifications.
    for (; entered_ > 0; entered_--) dispatch_.groupLeave(group_);
    dispatch_.release(group_);
  }

  void enter() {
    entered_++;
    dispatch_.groupEnter(group_);
  }

  // What is left in the group, or -1 for an unbalanced leave.
  int32_t leave() {
    if (entered_ == 0) return -1;
    if (--entered_ == 0) {
      for (const Waiting& waiting : waiting_) waiting.queue->due(waiting.item);
      waiting_.clear();
    }
    dispatch_.groupLeave(group_);
    return entered_;
  }

  uint32_t size() const { return static_cast<uint32_t>(entered_); }

  void notify(QueueHandle& queue, uint32_t item) {
    QueueHandle::Item* later = queue.later(item);
    if (entered_ == 0) {
      queue.due(later);
    } else {
      waiting_.push_back({queue.self(), later});
    }
    dispatch_.groupNotifyF(group_, queue.queue().object(), later, QueueHandle::run);
  }

 private:
  struct Waiting {
    std::shared_ptr<QueueHandle> queue;
    QueueHandle::Item* item;
  };

  const Libdispatch& dispatch_;
  Libdispatch::Group group_;
  int32_t entered_ = 0;
  std::vector<Waiting> waiting_;
};

std::shared_ptr<GroupHandle> groupCreate() { return std::make_shared<GroupHandle>(*Libdispatch::find()); }

}  // namespace

Calls groupCalls() {
  return {
      {"groupCreate", call<groupCreate>, Needs::libdispatch},
      {"groupEnter", call<&GroupHandle::enter>, Needs::libdispatch},
      {"groupLeave", call<&GroupHandle::leave>, Needs::libdispatch},
      {"groupSize", call<&GroupHandle::size>, Needs::libdispatch},
      {"groupNotify", call<&GroupHandle::notify>, Needs::libdispatch},
  };
}

}  // namespace dispatch_addon
