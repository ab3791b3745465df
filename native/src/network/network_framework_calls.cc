// Network framework as JavaScript calls it: what its queues say becomes tasks in the lane's inbox.
#include "network_framework.h"

#if defined(DISPATCH_ADDON_NETWORK_FRAMEWORK)

#include <cstring>

#include "../glue/box.h"
#include "../threads/lane.h"
#include "network_calls.h"
#include "../glue/value.h"

namespace dispatch_addon {
namespace {

using Describe = std::function<void(napi_env, napi_value object)>;

// One event: an object that `describe` fills on the lane's thread.
class Told : public Task {
 public:
  Told(Arrival kind, uint32_t id, Describe describe) : kind_(kind), id_(id), describe_(std::move(describe)) {}

  void run(Lane& lane) override {
    napi_value object = nullptr;
    if (napi_create_object(lane.env(), &object) != napi_ok) return;
    describe_(lane.env(), object);
    lane.arrive(kind_, id_, object);
  }

 private:
  Arrival kind_;
  uint32_t id_;
  Describe describe_;
};

void tell(const std::shared_ptr<Inbox>& inbox, Arrival kind, uint32_t id, Describe describe) {
  inbox->post(std::make_unique<Told>(kind, id, std::move(describe)));
}

napi_value makeBytes(napi_env env, const std::vector<uint8_t>& bytes) {
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, bytes.size(), &data, &buffer) != napi_ok) return nullptr;
  if (!bytes.empty()) memcpy(data, bytes.data(), bytes.size());
  napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array);
  return array;
}

// What a lane that does not look keeps of one flow; later datagrams are dropped, as by a full socket.
constexpr size_t kMostArrived = 8192;

// Datagrams that arrive before the lane has looked come to it as one batch.
struct Arrived {
  std::mutex mutex;
  std::vector<std::vector<uint8_t>> batch;
};

ConnectionObserver observerOf(std::shared_ptr<Inbox> inbox, uint32_t id) {
  const auto arrived = std::make_shared<Arrived>();
  return {
      [=](ConnectionState state, int error) {
        tell(inbox, Arrival::connection, id, [=](napi_env env, napi_value object) {
          setProperty(env, object, "state", makeUint32(env, static_cast<uint32_t>(state)));
          setProperty(env, object, "error", makeDouble(env, error));
        });
      },
      [=](bool viable) {
        tell(inbox, Arrival::connection, id,
             [=](napi_env env, napi_value object) { setProperty(env, object, "viable", makeBool(env, viable)); });
      },
      [=](bool better) {
        tell(inbox, Arrival::connection, id,
             [=](napi_env env, napi_value object) { setProperty(env, object, "betterPath", makeBool(env, better)); });
      },
      [=](std::vector<uint8_t> datagram) {
        std::unique_lock<std::mutex> lock(arrived->mutex);
        if (arrived->batch.size() >= kMostArrived) return;
        arrived->batch.push_back(std::move(datagram));
        if (arrived->batch.size() > 1) return;
        lock.unlock();
        tell(inbox, Arrival::connection, id, [=](napi_env env, napi_value object) {
          std::vector<std::vector<uint8_t>> batch;
          {
            std::lock_guard<std::mutex> taking(arrived->mutex);
            batch.swap(arrived->batch);
          }
          napi_value array = nullptr;
          napi_create_array_with_length(env, batch.size(), &array);
          for (uint32_t at = 0; at < batch.size(); at++) napi_set_element(env, array, at, makeBytes(env, batch[at]));
          setProperty(env, object, "datagrams", array);
        });
      },
      [=](int error) {
        tell(inbox, Arrival::connection, id,
             [=](napi_env env, napi_value object) { setProperty(env, object, "sendError", makeDouble(env, error)); });
      },
  };
}

// A connection that JavaScript has lost is cancelled: the framework would keep it for ever.
napi_value boxConnection(napi_env env, std::shared_ptr<Connection> connection) {
  Connection* raw = connection.get();
  return box(env, BoxType::connection, std::shared_ptr<Connection>(raw, [connection](Connection*) { connection->cancel(); }));
}

// (host, port, localPort)
napi_value connectionOpen(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  std::string host;
  uint32_t port = 0;
  uint32_t localPort = 0;
  if (!readString(env, args[0], host) || !readUint32(env, args[1], port) || !readUint32(env, args[2], localPort)) {
    return nullptr;
  }
  return boxConnection(env, Connection::open(host, static_cast<uint16_t>(port), static_cast<uint16_t>(localPort)));
}

// (connection, id)
napi_value connectionStart(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const auto connection = unbox<Connection>(env, BoxType::connection, args[0]);
  uint32_t id = 0;
  if (connection == nullptr || !readUint32(env, args[1], id)) return nullptr;
  connection->observe(observerOf(static_cast<Lane*>(args.data())->inbox(), id));
  connection->start();
  return nullptr;
}

// (connection, Uint8Array[])
napi_value connectionSend(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  const auto connection = unbox<Connection>(env, BoxType::connection, args[0]);
  uint32_t count = 0;
  if (connection == nullptr) return nullptr;
  if (napi_get_array_length(env, args[1], &count) != napi_ok) return failType(env, "expected an array of Uint8Array");
  std::vector<std::vector<uint8_t>> batch;
  for (uint32_t at = 0; at < count; at++) {
    napi_value element = nullptr;
    Bytes bytes;
    if (napi_get_element(env, args[1], at, &element) != napi_ok || !readBytes(env, element, bytes)) return nullptr;
    batch.emplace_back(bytes.data, bytes.data + bytes.length);
  }
  connection->send(std::move(batch));
  return nullptr;
}

napi_value connectionCancel(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto connection = unbox<Connection>(env, BoxType::connection, args[0]);
  if (connection != nullptr) connection->cancel();
  return nullptr;
}

// (host, port, id)
napi_value listenerOpen(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  std::string host;
  uint32_t port = 0;
  uint32_t id = 0;
  if (!readString(env, args[0], host) || !readUint32(env, args[1], port) || !readUint32(env, args[2], id)) return nullptr;
  const auto inbox = static_cast<Lane*>(args.data())->inbox();
  const auto listener = Listener::open(host, static_cast<uint16_t>(port));
  if (listener == nullptr) return makeUndefined(env);
  listener->start({
      [=](ConnectionState state, int error, uint16_t bound) {
        tell(inbox, Arrival::connection, id, [=](napi_env inner, napi_value object) {
          setProperty(inner, object, "state", makeUint32(inner, static_cast<uint32_t>(state)));
          setProperty(inner, object, "error", makeDouble(inner, error));
          setProperty(inner, object, "port", makeUint32(inner, bound));
        });
      },
      [=](const std::shared_ptr<Connection>& connection) {
        tell(inbox, Arrival::connection, id, [=](napi_env inner, napi_value object) {
          setProperty(inner, object, "host", makeString(inner, connection->remoteHost()));
          setProperty(inner, object, "port", makeUint32(inner, connection->remotePort()));
          setProperty(inner, object, "connection", boxConnection(inner, connection));
        });
      },
  });
  Listener* raw = listener.get();
  return box(env, BoxType::listener, std::shared_ptr<Listener>(raw, [listener](Listener*) { listener->cancel(); }));
}

napi_value listenerCancel(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto listener = unbox<Listener>(env, BoxType::listener, args[0]);
  if (listener != nullptr) listener->cancel();
  return nullptr;
}

// (id)
napi_value pathMonitorStart(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  uint32_t id = 0;
  if (!readUint32(env, args[0], id)) return nullptr;
  const auto inbox = static_cast<Lane*>(args.data())->inbox();
  return box(env, BoxType::path, FrameworkPathMonitor::start([=](const NetworkPath& path) {
               tell(inbox, Arrival::path, id, [=](napi_env inner, napi_value object) {
                 setProperty(inner, object, "satisfied", makeBool(inner, path.satisfied));
                 setProperty(inner, object, "ipv4", makeBool(inner, path.ipv4));
                 setProperty(inner, object, "ipv6", makeBool(inner, path.ipv6));
                 napi_value interfaces = nullptr;
                 napi_create_array(inner, &interfaces);
                 uint32_t at = 0;
                 for (const auto& one : path.interfaces) {
                   napi_value described = nullptr;
                   napi_create_object(inner, &described);
                   setProperty(inner, described, "name", makeString(inner, one.name));
                   setProperty(inner, described, "type", makeString(inner, one.type));
                   napi_set_element(inner, interfaces, at++, described);
                 }
                 setProperty(inner, object, "interfaces", interfaces);
               });
             }));
}

napi_value pathMonitorStop(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto monitor = unbox<FrameworkPathMonitor>(env, BoxType::path, args[0]);
  if (monitor != nullptr) monitor->cancel();
  return nullptr;
}

}  // namespace

void installNetworkCalls(napi_env env, napi_value exports, Lane& lane) {
  setFunction(env, exports, "connectionOpen", connectionOpen, &lane);
  setFunction(env, exports, "connectionStart", connectionStart, &lane);
  setFunction(env, exports, "connectionSend", connectionSend, &lane);
  setFunction(env, exports, "connectionCancel", connectionCancel, &lane);
  setFunction(env, exports, "listenerOpen", listenerOpen, &lane);
  setFunction(env, exports, "listenerCancel", listenerCancel, &lane);
  setFunction(env, exports, "pathMonitorStart", pathMonitorStart, &lane);
  setFunction(env, exports, "pathMonitorStop", pathMonitorStop, &lane);
}

}  // namespace dispatch_addon

#endif
