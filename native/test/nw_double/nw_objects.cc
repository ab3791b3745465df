// Counting, endpoints, parameters, errors and paths of the test double.
#include "nw_double.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

std::atomic<int> nwDoubleDelivered{0};
std::atomic<int> nwDoubleObjects{0};

extern "C" {

void *nw_retain(void *obj) {
  static_cast<nw_object *>(obj)->references++;
  return obj;
}

void nw_release(void *obj) {
  auto *object = static_cast<nw_object *>(obj);
  if (--object->references == 0) delete object;
}

nw_endpoint_t nw_endpoint_create_host(const char *hostname, const char *port) {
  return new nw_endpoint(hostname, static_cast<uint16_t>(atoi(port)));
}
const char *nw_endpoint_get_hostname(nw_endpoint_t endpoint) { return endpoint->host.c_str(); }
uint16_t nw_endpoint_get_port(nw_endpoint_t endpoint) { return endpoint->port; }

const nw_parameters_configure_protocol_block_t _nw_parameters_configure_protocol_default_configuration = nullptr;
const nw_parameters_configure_protocol_block_t _nw_parameters_configure_protocol_disable = nullptr;
const nw_content_context_t _nw_content_context_default_message = nullptr;

nw_parameters_t nw_parameters_create_secure_udp(nw_parameters_configure_protocol_block_t,
                                                nw_parameters_configure_protocol_block_t) {
  return new nw_parameters();
}
void nw_parameters_set_reuse_local_address(nw_parameters_t parameters, bool reuse) { parameters->reuse = reuse; }
void nw_parameters_set_local_endpoint(nw_parameters_t parameters, nw_endpoint_t local) {
  parameters->localHost = local->host;
  parameters->localPort = local->port;
}

int nw_error_get_error_code(nw_error_t error) { return error->code; }
}

sockaddr_in nw_endpoint::address() const {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int nw_parameters::bound() const {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const int yes = 1;
  if (reuse) {
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(localPort);
  inet_pton(AF_INET, localHost.c_str(), &address.sin_addr);
  if (bind(socket, reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0) return socket;
  close(socket);
  return -1;
}

struct nw_interface {
  std::string name;
  nw_interface_type_t type;
};

struct nw_path {
  std::vector<nw_interface> interfaces;
  bool ipv4 = false;
  bool ipv6 = false;
};

struct nw_path_monitor : nw_object {
  dispatch_queue_t queue = nullptr;
  Kept<nw_path_monitor_update_handler_t> handler;
  std::atomic<bool> cancelled{false};
};

extern "C" {

nw_path_monitor_t nw_path_monitor_create(void) { return new nw_path_monitor(); }
void nw_path_monitor_set_queue(nw_path_monitor_t monitor, dispatch_queue_t queue) { monitor->queue = queue; }
void nw_path_monitor_set_update_handler(nw_path_monitor_t monitor, nw_path_monitor_update_handler_t handler) {
  monitor->handler.set(handler);
}

// As the framework does, the first path is told at once. The double tells no later ones.
void nw_path_monitor_start(nw_path_monitor_t monitor) {
  retained(monitor);
  dispatch_retain(monitor->queue);
  dispatch_queue_t queue = monitor->queue;
  dispatch_async(queue, ^{
    nw_path path;
    ifaddrs *all = nullptr;
    if (getifaddrs(&all) == 0) {
      for (ifaddrs *one = all; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
        if (one->ifa_addr->sa_family == AF_INET) path.ipv4 = true;
        if (one->ifa_addr->sa_family == AF_INET6) path.ipv6 = true;
        const bool loopback = (one->ifa_flags & IFF_LOOPBACK) != 0;
        bool known = false;
        for (const auto &seen : path.interfaces) known = known || seen.name == one->ifa_name;
        if (!known) {
          path.interfaces.push_back({one->ifa_name, loopback ? nw_interface_type_loopback : nw_interface_type_wired});
        }
      }
      freeifaddrs(all);
    }
    if (!monitor->cancelled) monitor->handler.get()(&path);
    nw_release(monitor);
    dispatch_release(queue);
  });
}

void nw_path_monitor_cancel(nw_path_monitor_t monitor) { monitor->cancelled = true; }

nw_path_status_t nw_path_get_status(nw_path_t path) {
  return path->interfaces.empty() ? nw_path_status_unsatisfied : nw_path_status_satisfied;
}
bool nw_path_has_ipv4(nw_path_t path) { return path->ipv4; }
bool nw_path_has_ipv6(nw_path_t path) { return path->ipv6; }
void nw_path_enumerate_interfaces(nw_path_t path, nw_path_enumerate_interfaces_block_t enumerate) {
  for (auto &one : path->interfaces) {
    if (!enumerate(&one)) return;
  }
}
const char *nw_interface_get_name(nw_interface_t interface) { return interface->name.c_str(); }
nw_interface_type_t nw_interface_get_type(nw_interface_t interface) { return interface->type; }

// For tests: how many objects are alive.
__attribute__((visibility("default"))) int nw_double_objects(void) { return nwDoubleObjects; }
__attribute__((visibility("default"))) int nw_double_delivered(void) { return nwDoubleDelivered; }
}
