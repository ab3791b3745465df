// Notices changes of links, addresses and routes of this machine. JavaScript then reads the path from the system
// (lib/network/network-path.js): changes are rare, and parsing text is easier there. Linux only; on macOS Network
// framework reports both (network_framework.cc).
#pragma once

#include <uv.h>

#include "../threads/lane.h"

namespace dispatch_addon {

class PathMonitor : public LaneGuest {
 public:
  // Empty, or the reason why the system refuses.
  static std::string start(Lane& lane, uint32_t id, std::shared_ptr<PathMonitor>& out);
  ~PathMonitor() override;

  void stop();
  void laneEnds() override;

 private:
  PathMonitor(Lane& lane, uint32_t id) : lane_(&lane), id_(id) {}
  struct Handle;
  void readable();

  Lane* lane_;
  uint32_t id_;
  Handle* handle_ = nullptr;
};

}  // namespace dispatch_addon
