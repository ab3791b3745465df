// libdispatch, found at run time. The types and prototypes are declared here from its public documentation, so that
// building needs no header of it; every function is reached through this table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dispatch_addon {

struct Libdispatch {
  struct Object;
  using Queue = Object*;
  using Group = Object*;
  using Source = Object*;
  using Attribute = Object*;
  using SourceType = const void*;
  using Function = void (*)(void*);
  using ApplyFunction = void (*)(void*, size_t);

  // Objects.
  void (*retain)(Object*);
  void (*release)(Object*);
  void (*suspend)(Object*);
  void (*resume)(Object*);
  void (*activate)(Object*);
  void (*setContext)(Object*, void*);
  void* (*getContext)(Object*);
  void (*setFinalizer)(Object*, Function);
  void (*setTargetQueue)(Object*, Queue);
  // Queues.
  Queue (*queueCreateWithTarget)(const char* label, Attribute, Queue target);
  const char* (*queueGetLabel)(Queue);
  Attribute (*attributeWithQos)(Attribute, unsigned qos, int relativePriority);
  Attribute (*attributeInitiallyInactive)(Attribute);
  Queue (*globalQueue)(intptr_t identifier, uintptr_t flags);
  void (*asyncF)(Queue, void*, Function);
  void (*barrierAsyncF)(Queue, void*, Function);
  void (*afterF)(uint64_t when, Queue, void*, Function);
  void (*applyF)(size_t iterations, Queue, void*, ApplyFunction);
  void (*queueSetSpecific)(Queue, const void* key, void* value, Function destructor);
  void* (*queueGetSpecific)(Queue, const void* key);
  void* (*getSpecific)(const void* key);
  // Groups.
  Group (*groupCreate)();
  void (*groupEnter)(Group);
  void (*groupLeave)(Group);
  void (*groupNotifyF)(Group, Queue, void*, Function);
  // Sources.
  Source (*sourceCreate)(SourceType, uintptr_t handle, uintptr_t mask, Queue);
  void (*sourceSetEventHandlerF)(Source, Function);
  void (*sourceSetCancelHandlerF)(Source, Function);
  void (*sourceCancel)(Source);
  void (*sourceMergeData)(Source, uintptr_t);
  uintptr_t (*sourceGetData)(Source);
  void (*sourceSetTimer)(Source, uint64_t start, uint64_t interval, uint64_t leeway);
  // Semaphores and time.
  Object* (*semaphoreCreate)(intptr_t);
  intptr_t (*semaphoreSignal)(Object*);
  intptr_t (*semaphoreWait)(Object*, uint64_t);
  uint64_t (*time)(uint64_t from, int64_t delta);
  // What CoreFoundation uses to drain queues from a run loop of its own, and what serves libuv as well.
  intptr_t (*mainQueuePort)();
  void (*mainQueueCallback)(void*);
  Queue (*runloopQueueCreate)(const char* label, unsigned long flags);
  bool (*runloopQueuePerform)(Queue);
  void (*runloopQueueWakeup)(Queue);
  // Data.
  Queue mainQueue;
  Attribute concurrent;
  SourceType typeTimer;
  SourceType typeRead;
  SourceType typeWrite;
  SourceType typeDataAdd;
  SourceType typeDataOr;
  SourceType typeDataReplace;

  // The offset of an object's context, in pointers. The self-test finds it; see descriptorOf.
  size_t contextIndex;

  // The descriptor of a run-loop queue, or -1. On Linux libdispatch stores it in the place of the context and, unlike
  // on macOS, exports no function that returns it.
  int descriptorOf(Queue runloopQueue) const;

  // Loads the library once per process; nullptr if no candidate works.
  static const Libdispatch* find();
};

struct LibdispatchReport {
  bool found = false;
  std::string path;
  // One line for each refused candidate, in the order of the attempts.
  std::vector<std::string> refused;
  double roundTripUs = 0;
  // The main queue is bound to the thread that loaded the library, which then should be the process's main thread.
  bool boundToMainThread = false;
  // Empty, or why lanes other than the main thread cannot be drained.
  std::string laneObstacle;
};

const LibdispatchReport& libdispatchReport();

constexpr uint64_t kForever = ~0ULL;
constexpr uint64_t kNow = 0;
constexpr uintptr_t kTimerStrict = 1;

// About 146 years: fits into 64 bits of nanoseconds, with room for an addition.
constexpr double kLongestMs = 4.6e12;

// Clamps any number of JavaScript, because converting a number that does not fit is undefined in C++.
inline uint64_t nanosecondsOf(double ms) {
  if (!(ms > 0)) return 0;
  return static_cast<uint64_t>((ms < kLongestMs ? ms : kLongestMs) * 1e6);
}

// Stable numbers of sys/qos.h.
constexpr unsigned kQosUserInteractive = 0x21;
constexpr unsigned kQosUserInitiated = 0x19;
constexpr unsigned kQosDefault = 0x15;
constexpr unsigned kQosUtility = 0x11;
constexpr unsigned kQosBackground = 0x09;

}  // namespace dispatch_addon
