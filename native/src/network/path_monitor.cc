#include "path_monitor.h"

#if defined(__linux__)

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dispatch_addon {

// Outlives the monitor until libuv has closed it.
struct PathMonitor::Handle {
  uv_poll_t poll;
  int socket;
  PathMonitor* monitor;

  static void polled(uv_poll_t* poll, int, int) { static_cast<Handle*>(poll->data)->monitor->readable(); }
};

std::string PathMonitor::start(Lane& lane, uint32_t id, std::shared_ptr<PathMonitor>& out) {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (socket < 0) return std::string("netlink: ") + strerror(errno);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  uv_loop_t* loop = nullptr;
  if (bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      napi_get_uv_event_loop(lane.env(), &loop) != napi_ok) {
    const std::string reason = std::string("netlink: ") + strerror(errno);
    close(socket);
    return reason;
  }
  auto* handle = new Handle{{}, socket, nullptr};
  if (const int error = uv_poll_init(loop, &handle->poll, socket)) {
    close(socket);
    delete handle;
    return std::string("netlink: ") + uv_strerror(error);
  }
  std::shared_ptr<PathMonitor> monitor(new PathMonitor(lane, id));
  handle->monitor = monitor.get();
  monitor->handle_ = handle;
  handle->poll.data = handle;
  uv_poll_start(&handle->poll, UV_READABLE, Handle::polled);
  // A monitor does not keep the program alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle->poll));
  lane.welcome(monitor.get());
  out = std::move(monitor);
  return "";
}

PathMonitor::~PathMonitor() { stop(); }

void PathMonitor::stop() {
  if (handle_ == nullptr) return;
  if (lane_ != nullptr) lane_->farewell(this);
  Handle* handle = handle_;
  handle_ = nullptr;
  uv_poll_stop(&handle->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll), [](uv_handle_t* closed) {
    auto* held = static_cast<Handle*>(closed->data);
    close(held->socket);
    delete held;
  });
}

void PathMonitor::laneEnds() {
  lane_ = nullptr;
  stop();
}

void PathMonitor::readable() {
  // The content of the messages does not matter, only that there are messages. ENOBUFS means that some were lost.
  char buffer[16 * 1024];
  while (recv(handle_->socket, buffer, sizeof(buffer), 0) >= 0 || errno == ENOBUFS || errno == EINTR) {
  }
  // libuv stops polling a descriptor with an error, and lost messages are an error until they are read. After any other
  // error than EAGAIN polling stays stopped, because the socket would fail again at once.
  if (errno == EAGAIN) uv_poll_start(&handle_->poll, UV_READABLE, Handle::polled);
  const Scope scope(lane_->env());
  if (scope) lane_->arrive(Arrival::path, id_);
}

}  // namespace dispatch_addon

#endif
