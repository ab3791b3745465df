#include "queue.h"

#include <cassert>
#include <unordered_map>
#include <utility>

namespace dispatch_addon {
namespace {

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<Queue>> queues;
};

// Never destroyed, because libdispatch's threads may still look up a queue while the process ends.
Directory& directory() {
  static Directory* one = new Directory();
  return *one;
}

uint32_t nextId() {
  static std::atomic<uint32_t> last{0};
  return ++last;
}

}  // namespace

Queue::Queue(const Libdispatch& dispatch, Libdispatch::Queue object, const Traits& traits)
    : dispatch_(dispatch),
      object_(object),
      id_(nextId()),
      adopted_(traits.adopted),
      identified_(traits.identified),
      concurrent_(traits.concurrent),
      inactive_(traits.inactive) {
  // Its own address is the key, so that isCurrent() is one look-up along the targets of the running queue.
  if (identified_) dispatch_.queueSetSpecific(object_, this, this, nullptr);
}

std::shared_ptr<Queue> Queue::create(const Libdispatch& dispatch, const Options& options, Libdispatch::Queue target) {
  Libdispatch::Attribute attribute = options.concurrent ? dispatch.concurrent : nullptr;
  if (options.qos != 0) attribute = dispatch.attributeWithQos(attribute, options.qos, 0);
  if (options.inactive) attribute = dispatch.attributeInitiallyInactive(attribute);
  // The target is always explicit: the default would be an overcommitting root, which starts threads without a bound.
  Libdispatch::Queue object = dispatch.queueCreateWithTarget(options.label.c_str(), attribute, target);
  if (object == nullptr) return nullptr;
  return std::shared_ptr<Queue>(new Queue(dispatch, object, {false, true, options.concurrent, options.inactive}));
}

std::shared_ptr<Queue> Queue::adopt(const Libdispatch& dispatch, Libdispatch::Queue object, bool global) {
  // A lane's root may go before the last reference to it here does.
  dispatch.retain(object);
  return std::shared_ptr<Queue>(new Queue(dispatch, object, {true, !global, global, false}));
}

Queue::~Queue() {
  unpublish();
  if (identified_) dispatch_.queueSetSpecific(object_, this, nullptr, nullptr);
  letGo();
  while (holds_ > 0) release();
  dispatch_.release(object_);
}

void Queue::letGo() {
  if (inactive_) {
    inactive_ = false;
    dispatch_.activate(object_);
  }
  for (; suspensions_ > 0; suspensions_--) dispatch_.resume(object_);
}

bool Queue::suspend() {
  if (adopted_) return false;
  suspensions_++;
  dispatch_.suspend(object_);
  return true;
}

bool Queue::resume() {
  if (suspensions_ == 0) return false;
  suspensions_--;
  dispatch_.resume(object_);
  return true;
}

void Queue::hold() {
  assert(!adopted_);
  holds_++;
  dispatch_.suspend(object_);
}

void Queue::release() {
  assert(holds_ > 0);
  holds_--;
  dispatch_.resume(object_);
}

bool Queue::activate() {
  if (adopted_) return false;
  if (inactive_) {
    inactive_ = false;
    dispatch_.activate(object_);
  }
  return true;
}

bool Queue::setTarget(Libdispatch::Queue target) {
  // libdispatch ends the process when a queue that was made with a target changes it after its activation.
  if (adopted_ || !inactive_) return false;
  dispatch_.setTargetQueue(object_, target);
  return true;
}

bool Queue::send(Message message, size_t capacity) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (onMessages_ == nullptr || messages_.size() >= capacity) return false;
  const bool first = messages_.empty();
  messages_.push_back(std::move(message));
  // One item serves all messages that arrive before it runs, so they enter JavaScript together. The item keeps the
  // queue alive.
  if (first) dispatch_.asyncF(object_, new std::shared_ptr<Queue>(shared_from_this()), drainMessages);
  return true;
}

void Queue::drainMessages(void* context) {
  std::unique_ptr<std::shared_ptr<Queue>> kept(static_cast<std::shared_ptr<Queue>*>(context));
  Queue& queue = **kept;
  std::vector<Message> batch;
  std::shared_ptr<void> owner;
  OnMessages onMessages = nullptr;
  {
    std::lock_guard<std::mutex> lock(queue.mutex_);
    batch.swap(queue.messages_);
    owner = queue.owner_;
    onMessages = queue.onMessages_;
  }
  if (onMessages != nullptr) onMessages(owner.get(), queue, batch);
}

void Queue::receive(std::shared_ptr<void> owner, OnMessages onMessages) {
  std::lock_guard<std::mutex> lock(mutex_);
  owner_.swap(owner);
  onMessages_ = onMessages;
  if (onMessages == nullptr) messages_.clear();
}

std::shared_ptr<Queue> Queue::find(uint32_t id) {
  Directory& all = directory();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.queues.find(id);
  return found == all.queues.end() ? nullptr : found->second.lock();
}

void Queue::publish() {
  Directory& all = directory();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.queues[id_] = weak_from_this();
}

void Queue::unpublish() {
  Directory& all = directory();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.queues.erase(id_);
}

}  // namespace dispatch_addon
