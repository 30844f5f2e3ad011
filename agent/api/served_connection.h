// ServedConnection: the connection that a thread of the HTTP listener serves, for handlers that
// may take long.
#pragma once

#include "base/clock.h"

namespace pgvalet::api {

// Something that one thread waits for and another one does, once.
class Signal {
 public:
  Signal();
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  // False: the process has no descriptor left; the others may not be called.
  bool is_made() const { return descriptor_ >= 0; }

  // Thread-safe; the waiting thread may end the signal right away.
  void Give() const;
  // Returns when it has been given.
  void Await() const;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

class ServedConnection {
 public:
  // Until the next one is made, this thread serves it.
  ServedConnection(int socket, Time deadline, Duration time);
  ~ServedConnection();
  ServedConnection(const ServedConnection&) = delete;
  ServedConnection& operator=(const ServedConnection&) = delete;

  // Null on a thread that serves none.
  static ServedConnection* OfThisThread();

  enum class Wait : unsigned char {
    kDone,      // the signal was given
    kTimeOver,  // `deadline` passed
    kHungUp,    // the peer is gone, or the listener is stopping
  };
  // The connection's own deadline does not count meanwhile.
  Wait WaitFor(const Signal& signal, Time deadline) const;

  // What is left to do has the time of a whole connection again.
  void RestartTime() { deadline_ = Clock::now() + time_; }

  int socket() const { return socket_; }
  Time deadline() const { return deadline_; }

 private:
  const int socket_;
  Time deadline_;
  const Duration time_;
};

}  // namespace pgvalet::api
