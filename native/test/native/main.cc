// The native side without JavaScript, so that sanitizers see it: built plain, with AddressSanitizer and with
// ThreadSanitizer by test/native.test.js. Each check ends the program when it fails.
#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "../../src/ciphers/cipher_batch.h"
#include "../../src/ciphers/keccak.h"
#include "../../src/threads/pinned_thread.h"
#include "../../src/queues/queue.h"
#include "tsan_dispatch.h"

using namespace dispatch_addon;

// doubles.cc
extern std::atomic<bool> refuseThreads;

namespace {

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);  \
      exit(1);                                                                  \
    }                                                                           \
  } while (false)

const Libdispatch& dispatch() { return *Libdispatch::find(); }
Libdispatch::Queue global() { return dispatch().globalQueue(kQosDefault, 0); }

std::shared_ptr<Queue> serial(const char* label) {
  Queue::Options options;
  options.label = label;
  return Queue::create(dispatch(), options, global());
}

void await(Libdispatch::Object* semaphore) { CHECK(dispatch().semaphoreWait(semaphore, kForever) == 0); }

constexpr int kProducers = 8;

// Order and exclusion: the counters are plain integers, so that a sanitizer sees two items at a time.
struct Order {
  long lastOf[kProducers] = {};
  long seen = 0;
  bool inside = false;
  Libdispatch::Object* done;
  long expected;
};

struct Item {
  Order* order;
  int producer;
  long number;
};

void serialOrder(long items) {
  Order order;
  order.done = dispatch().semaphoreCreate(0);
  order.expected = items;
  const auto queue = serial("serial.order");
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; producer++) {
    producers.emplace_back([&, producer] {
      for (long number = 1; number <= items / kProducers; number++) {
        dispatch().asyncF(queue->object(), new Item{&order, producer, number}, [](void* context) {
          std::unique_ptr<Item> item(static_cast<Item*>(context));
          Order& one = *item->order;
          CHECK(!one.inside);
          one.inside = true;
          CHECK(one.lastOf[item->producer] == item->number - 1);
          one.lastOf[item->producer] = item->number;
          one.inside = false;
          if (++one.seen == one.expected) dispatch().semaphoreSignal(one.done);
        });
      }
    });
  }
  for (auto& producer : producers) producer.join();
  await(order.done);
  CHECK(order.seen == items);
  dispatch().release(order.done);
}

// What lanes send each other: batches in the order of each sender, nothing lost, nothing after the receiver has gone.
struct Received {
  long lastOf[kProducers] = {};
  long seen = 0;
  long batches = 0;
  long expected;
  Libdispatch::Object* done;

  static void take(void* owner, Queue&, std::vector<Queue::Message>& batch) {
    auto* one = static_cast<Received*>(owner);
    one->batches++;
    for (const auto& message : batch) {
      long number = 0;
      memcpy(&number, message.data() + 1, sizeof(number));
      CHECK(one->lastOf[message[0]] == number - 1);
      one->lastOf[message[0]] = number;
      if (++one->seen == one->expected) dispatch().semaphoreSignal(one->done);
    }
  }
};

void messages(long count) {
  const auto owned = std::make_shared<Received>();
  Received& received = *owned;
  received.done = dispatch().semaphoreCreate(0);
  received.expected = count;
  const auto queue = serial("serial.messages");
  queue->receive(owned, Received::take);
  queue->publish();
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kProducers; sender++) {
    senders.emplace_back([&, sender] {
      const auto found = Queue::find(queue->id());
      CHECK(found != nullptr);
      for (long number = 1; number <= count / kProducers; number++) {
        Queue::Message message(1 + sizeof(number));
        message[0] = static_cast<uint8_t>(sender);
        memcpy(message.data() + 1, &number, sizeof(number));
        while (!found->send(message, 4096)) std::this_thread::yield();
      }
    });
  }
  for (auto& sender : senders) sender.join();
  await(received.done);
  printf("  %ld messages in %ld batches\n", received.seen, received.batches);
  queue->unpublish();
  CHECK(Queue::find(queue->id()) == nullptr);
  queue->receive(nullptr, nullptr);
  CHECK(!queue->send({1}, 4096));
  dispatch().release(received.done);
}

// Receivers that go while another thread delivers to them, as when a lane ends: what they own is freed at once.
void receiversThatGo(long rounds) {
  struct Receiver {
    std::vector<long> seen = std::vector<long>(64);
    static void take(void* owner, Queue&, std::vector<Queue::Message>& batch) {
      for (const auto& message : batch) static_cast<Receiver*>(owner)->seen[message[0]]++;
    }
  };
  const auto queue = serial("serial.receivers");
  std::atomic<bool> ended{false};
  std::thread sender([&] {
    while (!ended) queue->send({7}, 4096);
  });
  for (long round = 0; round < rounds; round++) {
    queue->receive(std::make_shared<Receiver>(), Receiver::take);
    if (round % 4 == 0) std::this_thread::yield();
    queue->receive(nullptr, nullptr);
  }
  ended = true;
  sender.join();
}

// Queues that are lost in every state, from several threads.
void lostQueues() {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; thread++) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; round++) {
        Queue::Options options;
        options.label = "serial.lost";
        options.inactive = round % 2 == 0;
        const auto queue = Queue::create(dispatch(), options, global());
        if (round % 3 == 0) queue->suspend();
        if (round % 3 == 0) queue->suspend();
        if (round % 6 == 0) CHECK(queue->resume());
        if (round % 3 == 1) CHECK(!queue->resume());
        if (round % 5 == 0) queue->hold();
        if (round % 10 == 0) queue->release();
        CHECK(queue->held() == (round % 10 == 5));
        dispatch().asyncF(queue->object(), nullptr, [](void*) {});
        CHECK(!queue->isCurrent());
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

std::unique_ptr<CipherBatch> hashes(const std::shared_ptr<Inbox>& inbox, std::vector<uint8_t>& memory, size_t count) {
  std::vector<CipherBatch::Piece> pieces;
  const size_t each = memory.size() / count;
  for (size_t at = 0; at < count; at++) {
    uint8_t* piece = memory.data() + at * each;
    pieces.push_back({0, 0, piece + 33, each - 33, piece, piece + 32});
  }
  return std::make_unique<CipherBatch>(inbox, 7, CipherBatch::Kind::keccak, std::vector<uint8_t>(), std::move(pieces),
                                       nullptr);
}

// A lane that ends while its jobs run, are queued and are being submitted: its memory goes right after close().
void lanesEnd() {
  uv_async_t handle;
  for (int round = 0; round < 60; round++) {
    const auto inbox = std::make_shared<Inbox>();
    inbox->open(&handle);
    auto memory = std::make_unique<std::vector<std::vector<uint8_t>>>(24, std::vector<uint8_t>(8000));
    std::string refused;
    auto thread = PinnedThread::start(nullptr, inbox, ThreadTraits{"lane-ends", -1, 0}, refused);
    CHECK(thread != nullptr);
    for (size_t job = 0; job < memory->size(); job++) {
      auto batch = hashes(inbox, (*memory)[job], 4);
      if (job % 2 == 0) {
        Job::submit(std::move(batch), dispatch(), global(), false);
      } else {
        CHECK(thread->perform(std::move(batch)));
      }
    }
    if (round % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50 * round));
    if (round % 4 == 0) CHECK(thread->stop(1));
    inbox->close();
    thread->laneEnds();
    memory.reset();
    thread.reset();
  }
  // Jobs that found their lane ended are still to be dropped.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

void pinned() {
  uv_async_t handle;
  const auto inbox = std::make_shared<Inbox>();
  inbox->open(&handle);
  std::vector<uint8_t> memory(40'000);
  std::string refused;
  const auto started = PinnedThread::start(nullptr, inbox, ThreadTraits{"pinned-native", 0, 0}, refused);
  CHECK(started != nullptr);
  PinnedThread& thread = *started;
  CHECK(thread.systemId() > 0);
  for (int job = 0; job < 10; job++) CHECK(thread.perform(hashes(inbox, memory, 8)));
  CHECK(thread.stop(3));
  CHECK(!thread.stop(4));
  CHECK(!thread.perform(hashes(inbox, memory, 8)));
  refuseThreads = true;
  CHECK(PinnedThread::start(nullptr, inbox, ThreadTraits{"refused", 0, 0}, refused) == nullptr && !refused.empty());
  refuseThreads = false;
  size_t answers = 0;
  for (int wait = 0; wait < 5000 && answers < 11; wait++) {
    std::vector<Task> tasks;
    std::vector<uint32_t> ids;
    if (inbox->take(tasks, ids)) answers += ids.size();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(answers == 11);
  uint8_t digest[kDigestBytes];
  keccak256(memory.data() + 33, memory.size() / 8 - 33, digest);
  CHECK(memory[32] == 1);
  inbox->close();
}

void ciphers() {
  const OpenSsl* openssl = OpenSsl::find();
  if (openssl == nullptr) {
    printf("  skipped: no OpenSSL here exports %s\n", OpenSsl::missing());
    return;
  }
  Cipher cipher(*openssl);
  // NIST's GCM specification, test case 2.
  const uint8_t zeros[16] = {};
  const uint8_t expected[32] = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2,
                                0xb9, 0x71, 0xb2, 0xfe, 0x78, 0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec,
                                0x13, 0xbd, 0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf};
  uint8_t sealed[32];
  uint8_t opened[16];
  for (int round = 0; round < 3; round++) {
    CHECK(cipher.seal(zeros, zeros, nullptr, 0, zeros, 16, sealed));
    CHECK(memcmp(sealed, expected, sizeof(expected)) == 0);
    CHECK(cipher.open(zeros, zeros, nullptr, 0, sealed, 32, opened));
    CHECK(memcmp(opened, zeros, 16) == 0);
    sealed[3] ^= 1;
    memset(opened, 1, sizeof(opened));
    CHECK(!cipher.open(zeros, zeros, nullptr, 0, sealed, 32, opened));
    CHECK(memcmp(opened, zeros, 16) == 0);
    CHECK(!cipher.open(zeros, zeros, nullptr, 0, sealed, 15, opened));
  }
}

template <typename Check>
void check(const char* name, Check run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  printf("ok %s (%.2f s)\n", name, seconds.count());
}

}  // namespace

int main(int argc, char** argv) {
  const long items = argc > 1 ? atol(argv[1]) : 1'000'000;
  // In node these symbols are the program's own.
  dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL);
  if (Libdispatch::find() == nullptr) {
    for (const auto& line : libdispatchReport().refused) fprintf(stderr, "%s\n", line.c_str());
    return 77;
  }
  announceDispatch();
  check("serial order under 8 producers", [&] { serialOrder(items); });
  check("messages between threads", [&] { messages(items / 4); });
  check("receivers that go", [&] { receiversThatGo(items / 10); });
  check("lost queues", lostQueues);
  check("lanes that end under their jobs", lanesEnd);
  check("pinned thread", pinned);
  check("ciphers", ciphers);
  return 0;
}
