// The lane as JavaScript calls it, and what backendInfo() tells of libdispatch here.
#include "../glue/call.h"
#include "../queues/libdispatch.h"
#include "lane.h"

namespace dispatch_addon {
namespace {

Record dispatchInfo(Lane& lane) {
  const LibdispatchReport& report = libdispatchReport();
  Record info(lane.env());
  info.set("found", report.found).set("refused", report.refused);
  if (!report.found) return info;
  // "main" is the main queue itself, "lane" a root of its own, "none" where only native jobs can run.
  const LaneRoot* root = lane.root();
  info.set("path", report.path).set("roundTripUs", report.roundTripUs);
  info.set("root", root == nullptr ? "none" : root->isMain() ? "main" : "lane");
  const std::string& obstacle = root == nullptr ? lane.rootObstacle() : report.laneObstacle;
  if (!obstacle.empty()) info.set("laneObstacle", obstacle);
  return info;
}

}  // namespace

Calls laneCalls() {
  return {
      {"dispatchInfo", call<dispatchInfo>},
      {"attachEntry", call<&Lane::attachEntry>},
      {"drainLane", call<&Lane::drain>},
      {"holdLane", call<&Lane::hold>},
  };
}

}  // namespace dispatch_addon
