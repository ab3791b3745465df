// The objects of the test double. Counted as Network framework's, and counted once more in total, so that a test can
// see whether the code under test released all of them.
#pragma once

#include <Block.h>
#include <Network/Network.h>
#include <netinet/in.h>

#include <atomic>
#include <deque>
#include <string>
#include <vector>

extern std::atomic<int> nwDoubleObjects;
// Datagrams that a connection's owner was given.
extern std::atomic<int> nwDoubleDelivered;

struct nw_object {
  std::atomic<int> references{1};
  nw_object() { nwDoubleObjects++; }
  virtual ~nw_object() { nwDoubleObjects--; }
};

struct nw_endpoint : nw_object {
  std::string host;
  uint16_t port;
  nw_endpoint(std::string h, uint16_t p) : host(std::move(h)), port(p) {}
  // A literal IPv4 address; names of the double (nw_connection.cc) stand for this machine.
  sockaddr_in address() const;
};

struct nw_parameters : nw_object {
  std::string localHost = "0.0.0.0";
  uint16_t localPort = 0;
  bool reuse = false;
  // A UDP socket bound as these parameters say, or -1 with errno.
  int bound() const;
};

struct nw_error : nw_object {
  int code;
  explicit nw_error(int c) : code(c) {}
};

// A block that is kept and called at most as long as its owner wants it.
template <typename Handler>
class Kept {
 public:
  ~Kept() { set(nullptr); }
  void set(Handler handler) {
    Handler old = handler_;
    handler_ = nullptr;
    if (handler != nullptr) handler_ = Block_copy(handler);
    if (old != nullptr) Block_release(old);
  }
  Handler get() const { return handler_; }

 private:
  Handler handler_ = nullptr;
};

template <typename T>
T *retained(T *object) {
  return static_cast<T *>(nw_retain(object));
}
