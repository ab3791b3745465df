// The only file that calls Network framework (macOS 10.14 and newer), through its C API.
// test/nw_double/Network/Network.h declares the part that it uses, and the double implements no more.
#include "network_framework.h"

#if defined(DISPATCH_ADDON_NETWORK_FRAMEWORK)

#include <Network/Network.h>
#include <dispatch/dispatch.h>

namespace dispatch_addon {
namespace {

ConnectionState stateOf(nw_connection_state_t state) {
  switch (state) {
    case nw_connection_state_waiting: return ConnectionState::waiting;
    case nw_connection_state_preparing: return ConnectionState::preparing;
    case nw_connection_state_ready: return ConnectionState::ready;
    case nw_connection_state_failed: return ConnectionState::failed;
    case nw_connection_state_cancelled: return ConnectionState::cancelled;
    default: return ConnectionState::setup;
  }
}

ConnectionState stateOf(nw_listener_state_t state) {
  switch (state) {
    case nw_listener_state_waiting: return ConnectionState::waiting;
    case nw_listener_state_ready: return ConnectionState::ready;
    case nw_listener_state_failed: return ConnectionState::failed;
    case nw_listener_state_cancelled: return ConnectionState::cancelled;
    default: return ConnectionState::setup;
  }
}

int codeOf(nw_error_t error) { return error == nullptr ? 0 : nw_error_get_error_code(error); }

// Serial, and on a global queue that does not overcommit, as all queues of this package.
dispatch_queue_t makeQueue(const char* label) {
  return dispatch_queue_create_with_target(label, DISPATCH_QUEUE_SERIAL,
                                           dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_HIGH, 0));
}

nw_parameters_t udpParameters(const std::string& host, uint16_t localPort) {
  nw_parameters_t parameters =
      nw_parameters_create_secure_udp(NW_PARAMETERS_DISABLE_PROTOCOL, NW_PARAMETERS_DEFAULT_CONFIGURATION);
  // Several flows of a node share its port.
  nw_parameters_set_reuse_local_address(parameters, true);
  if (!host.empty() || localPort != 0) {
    const char* localHost = host.empty() ? "0.0.0.0" : host.c_str();
    nw_endpoint_t local = nw_endpoint_create_host(localHost, std::to_string(localPort).c_str());
    nw_parameters_set_local_endpoint(parameters, local);
    nw_release(local);
  }
  return parameters;
}

std::vector<uint8_t> bytesOf(dispatch_data_t content) {
  std::vector<uint8_t> bytes;
  if (content == nullptr) return bytes;
  bytes.reserve(dispatch_data_get_size(content));
  std::vector<uint8_t>* out = &bytes;
  dispatch_data_apply(content, ^bool(dispatch_data_t, size_t, const void* part, size_t length) {
    const auto* from = static_cast<const uint8_t*>(part);
    out->insert(out->end(), from, from + length);
    return true;
  });
  return bytes;
}

class FrameworkConnection : public Connection, public std::enable_shared_from_this<FrameworkConnection> {
 public:
  explicit FrameworkConnection(nw_connection_t connection)
      : connection_(connection), queue_(makeQueue("node-dispatch-addon.connection")) {
    // Set here and not in start(), because a connection may be cancelled before it is started.
    nw_connection_set_queue(connection_, queue_);
  }

  ~FrameworkConnection() override {
    nw_release(connection_);
    dispatch_release(queue_);
  }

  void observe(ConnectionObserver observer) override { observer_ = std::move(observer); }

  void start() override {
    // The handlers keep this object alive until the framework has reported `cancelled` and releases them.
    const std::shared_ptr<FrameworkConnection> self = shared_from_this();
    nw_connection_set_state_changed_handler(connection_, ^(nw_connection_state_t state, nw_error_t error) {
      self->observer_.state(stateOf(state), codeOf(error));
      if (state == nw_connection_state_ready) self->receive();
      if (state == nw_connection_state_failed) nw_connection_cancel(self->connection_);
      if (state == nw_connection_state_cancelled) self->observer_ = silent();
    });
    nw_connection_set_viability_changed_handler(connection_, ^(bool viable) {
      self->observer_.viability(viable);
    });
    nw_connection_set_better_path_available_handler(connection_, ^(bool better) {
      self->observer_.betterPath(better);
    });
    nw_connection_start(connection_);
  }

  void send(std::vector<std::vector<uint8_t>> batch) override {
    const std::shared_ptr<FrameworkConnection> self = shared_from_this();
    const auto held = std::make_shared<std::vector<std::vector<uint8_t>>>(std::move(batch));
    // A batch of the framework as well, so that it writes with one system call.
    nw_connection_batch(connection_, ^{
      for (const auto& datagram : *held) {
        dispatch_data_t content =
            dispatch_data_create(datagram.data(), datagram.size(), nullptr, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
        nw_connection_send(self->connection_, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, ^(nw_error_t error) {
          if (error != nullptr) self->observer_.sendFailed(codeOf(error));
        });
        dispatch_release(content);
      }
    });
  }

  void cancel() override { nw_connection_cancel(connection_); }

  std::string remoteHost() const override {
    nw_endpoint_t endpoint = nw_connection_copy_endpoint(connection_);
    const char* host = nw_endpoint_get_hostname(endpoint);
    std::string text = host == nullptr ? "" : host;
    nw_release(endpoint);
    return text;
  }

  uint16_t remotePort() const override {
    nw_endpoint_t endpoint = nw_connection_copy_endpoint(connection_);
    const uint16_t port = nw_endpoint_get_port(endpoint);
    nw_release(endpoint);
    return port;
  }

 private:
  static ConnectionObserver silent() {
    return {[](ConnectionState, int) {}, [](bool) {}, [](bool) {}, [](std::vector<uint8_t>) {}, [](int) {}};
  }

  void receive() {
    const std::shared_ptr<FrameworkConnection> self = shared_from_this();
    nw_connection_receive_message(connection_, ^(dispatch_data_t content, nw_content_context_t, bool, nw_error_t error) {
      if (content != nullptr) self->observer_.received(bytesOf(content));
      // An error ends the flow or is reported as a state; receiving again after it would spin.
      if (error == nullptr) self->receive();
    });
  }

  nw_connection_t connection_;
  dispatch_queue_t queue_;
  ConnectionObserver observer_ = silent();
};

class FrameworkListener : public Listener, public std::enable_shared_from_this<FrameworkListener> {
 public:
  explicit FrameworkListener(nw_listener_t listener)
      : listener_(listener), queue_(makeQueue("node-dispatch-addon.listener")) {}

  ~FrameworkListener() override {
    nw_release(listener_);
    dispatch_release(queue_);
  }

  void start(ListenerObserver observer) override {
    observer_ = std::move(observer);
    const std::shared_ptr<FrameworkListener> self = shared_from_this();
    nw_listener_set_queue(listener_, queue_);
    nw_listener_set_state_changed_handler(listener_, ^(nw_listener_state_t state, nw_error_t error) {
      const uint16_t port = state == nw_listener_state_ready ? nw_listener_get_port(self->listener_) : 0;
      self->observer_.state(stateOf(state), codeOf(error), port);
      if (state == nw_listener_state_failed) nw_listener_cancel(self->listener_);
    });
    nw_listener_set_new_connection_handler(listener_, ^(nw_connection_t connection) {
      self->observer_.connection(std::make_shared<FrameworkConnection>(
          static_cast<nw_connection_t>(nw_retain(connection))));
    });
    nw_listener_start(listener_);
  }

  void cancel() override { nw_listener_cancel(listener_); }

 private:
  nw_listener_t listener_;
  dispatch_queue_t queue_;
  ListenerObserver observer_;
};

const char* typeOf(nw_interface_type_t type) {
  switch (type) {
    case nw_interface_type_wifi: return "wifi";
    case nw_interface_type_cellular: return "cellular";
    case nw_interface_type_wired: return "wired";
    case nw_interface_type_loopback: return "loopback";
    default: return "other";
  }
}

class FrameworkMonitor : public FrameworkPathMonitor {
 public:
  explicit FrameworkMonitor(std::function<void(NetworkPath)> changed)
      : monitor_(nw_path_monitor_create()), queue_(makeQueue("node-dispatch-addon.path")) {
    nw_path_monitor_set_queue(monitor_, queue_);
    const auto told = std::make_shared<std::function<void(NetworkPath)>>(std::move(changed));
    nw_path_monitor_set_update_handler(monitor_, ^(nw_path_t path) {
      NetworkPath read;
      read.satisfied = nw_path_get_status(path) == nw_path_status_satisfied;
      read.ipv4 = nw_path_has_ipv4(path);
      read.ipv6 = nw_path_has_ipv6(path);
      NetworkPath* out = &read;
      nw_path_enumerate_interfaces(path, ^bool(nw_interface_t interface) {
        out->interfaces.push_back({nw_interface_get_name(interface), typeOf(nw_interface_get_type(interface))});
        return true;
      });
      (*told)(std::move(read));
    });
    nw_path_monitor_start(monitor_);
  }

  ~FrameworkMonitor() override {
    cancel();
    nw_release(monitor_);
    dispatch_release(queue_);
  }

  void cancel() override {
    if (cancelled_) return;
    cancelled_ = true;
    nw_path_monitor_cancel(monitor_);
  }

 private:
  nw_path_monitor_t monitor_;
  dispatch_queue_t queue_;
  bool cancelled_ = false;
};

}  // namespace

std::shared_ptr<Connection> Connection::open(const std::string& host, uint16_t port, uint16_t localPort) {
  nw_endpoint_t endpoint = nw_endpoint_create_host(host.c_str(), std::to_string(port).c_str());
  nw_parameters_t parameters = udpParameters("", localPort);
  nw_connection_t connection = nw_connection_create(endpoint, parameters);
  nw_release(endpoint);
  nw_release(parameters);
  return std::make_shared<FrameworkConnection>(connection);
}

std::shared_ptr<Listener> Listener::open(const std::string& host, uint16_t port) {
  nw_parameters_t parameters = udpParameters(host, port);
  nw_listener_t listener = nw_listener_create(parameters);
  nw_release(parameters);
  return listener == nullptr ? nullptr : std::make_shared<FrameworkListener>(listener);
}

std::shared_ptr<FrameworkPathMonitor> FrameworkPathMonitor::start(std::function<void(NetworkPath)> changed) {
  return std::make_shared<FrameworkMonitor>(std::move(changed));
}

}  // namespace dispatch_addon

#endif
