// Network framework as JavaScript calls it. Events on its queues become tasks in the lane's inbox.
#include "network_framework.h"

#if defined(DISPATCH_ADDON_NETWORK_FRAMEWORK)

#include <mutex>

#include "../glue/call.h"
#include "../threads/lane.h"

namespace dispatch_addon {
namespace {

// One event: a record that `describe` fills on the lane's thread.
template <typename Describe>
void tell(const std::shared_ptr<Inbox>& inbox, Arrival kind, uint32_t id, Describe describe) {
  inbox->post([=](Lane& lane) {
    Record event(lane.env());
    describe(event);
    lane.arrive(kind, id, event.value());
  });
}

template <typename T>
void tellConnection(const std::shared_ptr<Inbox>& inbox, uint32_t id, const char* name, T value) {
  tell(inbox, Arrival::connection, id, [=](Record& event) { event.set(name, value); });
}

// The most datagrams of one flow that wait for the lane; later ones are dropped, as by a full socket.
constexpr size_t kMostArrived = 8192;

// Datagrams that arrive before the lane runs its tasks reach it as one batch.
struct Arrived {
  std::mutex mutex;
  std::vector<std::vector<uint8_t>> batch;
};

ConnectionObserver observerOf(std::shared_ptr<Inbox> inbox, uint32_t id) {
  const auto arrived = std::make_shared<Arrived>();
  return {
      [=](ConnectionState state, int error) {
        tell(inbox, Arrival::connection, id, [=](Record& event) {
          event.set("state", static_cast<uint32_t>(state)).set("error", error);
        });
      },
      [=](bool viable) { tellConnection(inbox, id, "viable", viable); },
      [=](bool better) { tellConnection(inbox, id, "betterPath", better); },
      [=](std::vector<uint8_t> datagram) {
        std::unique_lock<std::mutex> lock(arrived->mutex);
        if (arrived->batch.size() >= kMostArrived) return;
        arrived->batch.push_back(std::move(datagram));
        if (arrived->batch.size() > 1) return;
        lock.unlock();
        tell(inbox, Arrival::connection, id, [=](Record& event) {
          std::vector<std::vector<uint8_t>> batch;
          {
            std::lock_guard<std::mutex> taking(arrived->mutex);
            batch.swap(arrived->batch);
          }
          event.set("datagrams", batch);
        });
      },
      [=](int error) { tellConnection(inbox, id, "sendError", error); },
  };
}

// Cancels a connection or listener that JavaScript has lost, because the framework would keep it for ever.
template <typename T>
std::shared_ptr<T> cancelledWhenLost(std::shared_ptr<T> object) {
  return std::shared_ptr<T>(object.get(), [object](T*) { object->cancel(); });
}

std::shared_ptr<Connection> connectionOpen(const std::string& host, uint32_t port, uint32_t localPort) {
  return cancelledWhenLost(Connection::open(host, static_cast<uint16_t>(port), static_cast<uint16_t>(localPort)));
}

void connectionStart(Lane& lane, Connection& connection, uint32_t id) {
  connection.observe(observerOf(lane.inbox(), id));
  connection.start();
}

void connectionSend(Lane& lane, Connection& connection, napi_value datagrams) {
  uint32_t count = 0;
  std::vector<std::vector<uint8_t>> batch;
  if (napi_get_array_length(lane.env(), datagrams, &count) != napi_ok) {
    failType(lane.env(), "expected an array of Uint8Array");
    return;
  }
  for (uint32_t at = 0; at < count; at++) {
    Bytes bytes;
    if (!elementOf(lane.env(), datagrams, at, bytes)) return;
    batch.emplace_back(bytes.data, bytes.data + bytes.length);
  }
  connection.send(std::move(batch));
}

std::shared_ptr<Listener> listenerOpen(Lane& lane, const std::string& host, uint32_t port, uint32_t id) {
  const auto listener = Listener::open(host, static_cast<uint16_t>(port));
  if (listener == nullptr) return nullptr;
  listener->start({
      [inbox = lane.inbox(), id](ConnectionState state, int error, uint16_t bound) {
        tell(inbox, Arrival::connection, id, [=](Record& event) {
          event.set("state", static_cast<uint32_t>(state)).set("error", error).set("port", uint32_t{bound});
        });
      },
      [inbox = lane.inbox(), id](const std::shared_ptr<Connection>& connection) {
        tell(inbox, Arrival::connection, id, [=](Record& event) {
          event.set("host", connection->remoteHost()).set("port", uint32_t{connection->remotePort()});
          event.set("connection", cancelledWhenLost(connection));
        });
      },
  });
  return cancelledWhenLost(listener);
}

std::shared_ptr<FrameworkPathMonitor> pathMonitorStart(Lane& lane, uint32_t id) {
  return FrameworkPathMonitor::start([inbox = lane.inbox(), id](const NetworkPath& path) {
    tell(inbox, Arrival::path, id, [=](Record& event) {
      event.set("satisfied", path.satisfied).set("ipv4", path.ipv4).set("ipv6", path.ipv6);
      event.set("interfaces", path.interfaces);
    });
  });
}

}  // namespace

napi_value toValue(napi_env env, const NetworkPath::Interface& one) {
  return Record(env).set("name", one.name).set("type", one.type).value();
}

Calls networkCalls() {
  return {
      {"connectionOpen", call<connectionOpen>},
      {"connectionStart", call<connectionStart>},
      {"connectionSend", call<connectionSend>},
      {"connectionCancel", call<&Connection::cancel>},
      {"listenerOpen", call<listenerOpen>},
      {"listenerCancel", call<&Listener::cancel>},
      {"pathMonitorStart", call<pathMonitorStart>},
      {"pathMonitorStop", call<&FrameworkPathMonitor::cancel>},
  };
}

}  // namespace dispatch_addon

#endif
