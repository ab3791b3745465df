// Connections and listeners of the test double, on real UDP sockets and real libdispatch. Besides addresses it knows
// three names, through which a test reaches the states that a healthy machine does not show:
//   waits.double  waits first, as without a network, and then is ready
//   fails.double  fails
//   moves.double  is ready, loses its viability, hears of a better path, and is viable again
#include "nw_double.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

namespace {
constexpr int64_t kWaitNs = 5'000'000;
constexpr size_t kMostBuffered = 1024;
}  // namespace

struct nw_connection : nw_object {
  nw_endpoint *endpoint;
  nw_parameters *parameters;
  dispatch_queue_t queue = nullptr;
  int socket = -1;
  dispatch_source_t source = nullptr;
  std::atomic<bool> cancelled{false};
  Kept<nw_connection_state_changed_handler_t> onState;
  Kept<nw_connection_boolean_event_handler_t> onViability;
  Kept<nw_connection_boolean_event_handler_t> onBetterPath;
  std::deque<std::vector<uint8_t>> arrived;
  std::deque<nw_connection_receive_completion_t> waiting;

  nw_connection(nw_endpoint *e, nw_parameters *p) : endpoint(retained(e)), parameters(retained(p)) {}
  ~nw_connection() override {
    for (auto completion : waiting) Block_release(completion);
    nw_release(endpoint);
    nw_release(parameters);
    if (queue != nullptr) dispatch_release(queue);
  }

  void say(nw_connection_state_t state, int code = 0) {
    if (onState.get() == nullptr) return;
    nw_error *error = code == 0 ? nullptr : new nw_error(code);
    onState.get()(state, error);
    if (error != nullptr) nw_release(error);
  }
  void viable(bool value) {
    if (onViability.get() != nullptr) onViability.get()(value);
  }

  bool connectSocket() {
    if (socket < 0) socket = parameters->bound();
    const sockaddr_in remote = endpoint->address();
    return socket >= 0 && ::connect(socket, reinterpret_cast<const sockaddr *>(&remote), sizeof(remote)) == 0;
  }

  void ready() {
    if (cancelled) return;
    if (!connectSocket()) {
      say(nw_connection_state_failed, errno);
      return;
    }
    source = dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(socket), 0, queue);
    retained(this);
    dispatch_source_set_event_handler(source, ^{ read(); });
    const int closing = socket;
    dispatch_source_set_cancel_handler(source, ^{
      close(closing);
      nw_release(this);
    });
    dispatch_activate(source);
    say(nw_connection_state_ready);
    viable(true);
    deliver();
  }

  void read() {
    for (;;) {
      uint8_t buffer[65536];
      const ssize_t length = recv(socket, buffer, sizeof(buffer), 0);
      if (length < 0) break;
      if (arrived.size() < kMostBuffered) arrived.emplace_back(buffer, buffer + length);
    }
    deliver();
  }

  void deliver() {
    while (!arrived.empty() && !waiting.empty()) {
      const std::vector<uint8_t> datagram = std::move(arrived.front());
      arrived.pop_front();
      nw_connection_receive_completion_t completion = waiting.front();
      waiting.pop_front();
      dispatch_data_t content =
          dispatch_data_create(datagram.data(), datagram.size(), nullptr, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
      completion(content, nullptr, true, nullptr);
      nwDoubleDelivered++;
      dispatch_release(content);
      Block_release(completion);
    }
  }

  void start() {
    say(nw_connection_state_preparing);
    if (endpoint->host == "fails.double") return say(nw_connection_state_failed, ECONNREFUSED);
    if (endpoint->host == "waits.double") {
      say(nw_connection_state_waiting, ENETDOWN);
      later(^{ ready(); });
      return;
    }
    ready();
    if (endpoint->host != "moves.double") return;
    later(^{
      viable(false);
      if (onBetterPath.get() != nullptr) onBetterPath.get()(true);
      viable(true);
    });
  }

  void later(dispatch_block_t work) {
    retained(this);
    dispatch_after(dispatch_time(DISPATCH_TIME_NOW, kWaitNs), queue, ^{
      if (!cancelled) work();
      nw_release(this);
    });
  }

  void cancel() {
    if (cancelled) return;
    cancelled = true;
    if (source != nullptr) {
      dispatch_source_cancel(source);
      dispatch_release(source);
      source = nullptr;
    } else if (socket >= 0) {
      close(socket);
    }
    for (auto completion : waiting) {
      nw_error *error = new nw_error(ECANCELED);
      completion(nullptr, nullptr, false, error);
      nw_release(error);
      Block_release(completion);
    }
    waiting.clear();
    say(nw_connection_state_cancelled);
    // Nothing is said after `cancelled`, and the handlers go, as the framework documents.
    onState.set(nullptr);
    onViability.set(nullptr);
    onBetterPath.set(nullptr);
  }
};

struct nw_listener : nw_object {
  nw_parameters *parameters;
  dispatch_queue_t queue = nullptr;
  int socket = -1;
  uint16_t port = 0;
  dispatch_source_t source = nullptr;
  bool cancelled = false;
  Kept<nw_listener_state_changed_handler_t> onState;
  Kept<nw_listener_new_connection_handler_t> onConnection;
  std::map<std::string, nw_connection *> flows;

  explicit nw_listener(nw_parameters *p) : parameters(retained(p)) {}
  ~nw_listener() override {
    nw_release(parameters);
    if (queue != nullptr) dispatch_release(queue);
  }

  void say(nw_listener_state_t state, int code = 0) {
    if (onState.get() == nullptr) return;
    nw_error *error = code == 0 ? nullptr : new nw_error(code);
    onState.get()(state, error);
    if (error != nullptr) nw_release(error);
  }

  void start() {
    socket = parameters->bound();
    if (socket < 0) return say(nw_listener_state_failed, errno);
    sockaddr_in address{};
    socklen_t length = sizeof(address);
    getsockname(socket, reinterpret_cast<sockaddr *>(&address), &length);
    port = ntohs(address.sin_port);
    source = dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, static_cast<uintptr_t>(socket), 0, queue);
    retained(this);
    dispatch_source_set_event_handler(source, ^{ read(); });
    const int closing = socket;
    dispatch_source_set_cancel_handler(source, ^{
      close(closing);
      nw_release(this);
    });
    dispatch_activate(source);
    say(nw_listener_state_ready);
  }

  // The first datagram of a remote makes a flow with a connected socket of its own, to which the kernel gives the rest.
  void read() {
    for (;;) {
      uint8_t buffer[65536];
      sockaddr_in remote{};
      socklen_t remoteLength = sizeof(remote);
      const ssize_t length =
          recvfrom(socket, buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr *>(&remote), &remoteLength);
      if (length < 0) return;
      const uint32_t ip = ntohl(remote.sin_addr.s_addr);
      const std::string host = std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." +
                               std::to_string(ip >> 8 & 255) + "." + std::to_string(ip & 255);
      nw_connection *&known = flows[host + " " + std::to_string(ntohs(remote.sin_port))];
      if (known != nullptr && !known->cancelled && known->queue != nullptr) {
        // It came before its flow had a socket of its own.
        nw_connection *flow = retained(known);
        const auto *late = new std::vector<uint8_t>(buffer, buffer + length);
        dispatch_async(flow->queue, ^{
          flow->arrived.push_back(*late);
          delete late;
          flow->deliver();
          nw_release(flow);
        });
        continue;
      }
      if (known != nullptr) nw_release(known);
      auto *endpoint = new nw_endpoint(host, ntohs(remote.sin_port));
      auto *local = new nw_parameters();
      local->localHost = parameters->localHost;
      local->localPort = port;
      local->reuse = true;
      auto *connection = new nw_connection(endpoint, local);
      connection->connectSocket();
      connection->arrived.emplace_back(buffer, buffer + length);
      nw_release(endpoint);
      nw_release(local);
      known = connection;
      if (onConnection.get() != nullptr) onConnection.get()(connection);
    }
  }

  void cancel() {
    if (cancelled) return;
    cancelled = true;
    if (source != nullptr) {
      dispatch_source_cancel(source);
      dispatch_release(source);
      source = nullptr;
    }
    for (auto &flow : flows) nw_release(flow.second);
    flows.clear();
    say(nw_listener_state_cancelled);
    onState.set(nullptr);
    onConnection.set(nullptr);
  }
};

// Everything of an object happens on its queue; the object is kept until then.
template <typename T>
static void onQueue(T *object, dispatch_block_t work) {
  retained(object);
  dispatch_async(object->queue, ^{
    work();
    nw_release(object);
  });
}

extern "C" {

nw_connection_t nw_connection_create(nw_endpoint_t endpoint, nw_parameters_t parameters) {
  return new nw_connection(endpoint, parameters);
}
nw_endpoint_t nw_connection_copy_endpoint(nw_connection_t connection) { return retained(connection->endpoint); }
void nw_connection_set_queue(nw_connection_t connection, dispatch_queue_t queue) {
  dispatch_retain(queue);
  connection->queue = queue;
}
void nw_connection_set_state_changed_handler(nw_connection_t connection, nw_connection_state_changed_handler_t handler) {
  connection->onState.set(handler);
}
void nw_connection_set_viability_changed_handler(nw_connection_t connection,
                                                 nw_connection_boolean_event_handler_t handler) {
  connection->onViability.set(handler);
}
void nw_connection_set_better_path_available_handler(nw_connection_t connection,
                                                     nw_connection_boolean_event_handler_t handler) {
  connection->onBetterPath.set(handler);
}
void nw_connection_start(nw_connection_t connection) {
  onQueue(connection, ^{ connection->start(); });
}
void nw_connection_cancel(nw_connection_t connection) {
  onQueue(connection, ^{ connection->cancel(); });
}
void nw_connection_batch(nw_connection_t, void (^batch)(void)) { batch(); }

void nw_connection_send(nw_connection_t connection, dispatch_data_t content, nw_content_context_t, bool,
                        nw_connection_send_completion_t completion) {
  dispatch_retain(content);
  onQueue(connection, ^{
    const void *bytes = nullptr;
    size_t length = 0;
    dispatch_data_t mapped = dispatch_data_create_map(content, &bytes, &length);
    const bool sent = !connection->cancelled && ::send(connection->socket, bytes, length, 0) >= 0;
    nw_error *error = sent ? nullptr : new nw_error(connection->cancelled ? ECANCELED : errno);
    completion(error);
    if (error != nullptr) nw_release(error);
    dispatch_release(mapped);
    dispatch_release(content);
  });
}

void nw_connection_receive_message(nw_connection_t connection, nw_connection_receive_completion_t completion) {
  nw_connection_receive_completion_t kept = Block_copy(completion);
  onQueue(connection, ^{
    if (!connection->cancelled) {
      connection->waiting.push_back(kept);
      return connection->deliver();
    }
    nw_error *error = new nw_error(ECANCELED);
    kept(nullptr, nullptr, false, error);
    nw_release(error);
    Block_release(kept);
  });
}

nw_listener_t nw_listener_create(nw_parameters_t parameters) { return new nw_listener(parameters); }
void nw_listener_set_queue(nw_listener_t listener, dispatch_queue_t queue) {
  dispatch_retain(queue);
  listener->queue = queue;
}
void nw_listener_set_state_changed_handler(nw_listener_t listener, nw_listener_state_changed_handler_t handler) {
  listener->onState.set(handler);
}
void nw_listener_set_new_connection_handler(nw_listener_t listener, nw_listener_new_connection_handler_t handler) {
  listener->onConnection.set(handler);
}
void nw_listener_start(nw_listener_t listener) {
  onQueue(listener, ^{ listener->start(); });
}
void nw_listener_cancel(nw_listener_t listener) {
  onQueue(listener, ^{ listener->cancel(); });
}
uint16_t nw_listener_get_port(nw_listener_t listener) { return listener->port; }
}
