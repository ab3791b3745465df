// Connections, listeners and paths of Apple's Network framework. On Linux this is compiled only in tests, with clang
// and against test/nw_double.
#pragma once

#if defined(__APPLE__) || defined(DISPATCH_ADDON_NW_DOUBLE)
#define DISPATCH_ADDON_NETWORK_FRAMEWORK 1

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dispatch_addon {

// The order of `states` in lib/network/connection.js. A listener has no `preparing`.
enum class ConnectionState : uint32_t { setup, waiting, preparing, ready, failed, cancelled };

// Events of a connection. Called on a queue of libdispatch, one at a time for each connection; none after cancelled.
struct ConnectionObserver {
  std::function<void(ConnectionState, int error)> state;
  std::function<void(bool)> viability;
  std::function<void(bool)> betterPath;
  std::function<void(std::vector<uint8_t>)> received;
  std::function<void(int error)> sendFailed;
};

// One UDP flow. Methods may be called from any thread.
class Connection {
 public:
  virtual ~Connection() = default;
  // Before start().
  virtual void observe(ConnectionObserver observer) = 0;
  virtual void start() = 0;
  // The framework gets the whole batch at once.
  virtual void send(std::vector<std::vector<uint8_t>> batch) = 0;
  virtual void cancel() = 0;
  virtual std::string remoteHost() const = 0;
  virtual uint16_t remotePort() const = 0;

  // `localPort` 0 takes a free port.
  static std::shared_ptr<Connection> open(const std::string& host, uint16_t port, uint16_t localPort);
};

struct ListenerObserver {
  std::function<void(ConnectionState, int error, uint16_t port)> state;
  std::function<void(std::shared_ptr<Connection>)> connection;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void start(ListenerObserver observer) = 0;
  virtual void cancel() = 0;

  static std::shared_ptr<Listener> open(const std::string& host, uint16_t port);
};

struct NetworkPath {
  bool satisfied = false;
  bool ipv4 = false;
  bool ipv6 = false;
  struct Interface {
    std::string name;
    std::string type;
  };
  std::vector<Interface> interfaces;
};

class FrameworkPathMonitor {
 public:
  virtual ~FrameworkPathMonitor() = default;
  virtual void cancel() = 0;

  static std::shared_ptr<FrameworkPathMonitor> start(std::function<void(NetworkPath)> changed);
};

}  // namespace dispatch_addon

#endif
