// How a job that someone has given up comes to an end.
#ifndef TWOFOLD_SRC_BASE_CANCELLATION_H_
#define TWOFOLD_SRC_BASE_CANCELLATION_H_

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

namespace twofold {

// One job that can be cancelled. Belongs to the thread that made it, which alone asks; threads that work for it see
// what came of that. Thread-safe but for that.
class Cancellation {
 public:
  // `cancelled` must outlive the object, and `outer` too, which may be null: a job inside another ends with it.
  Cancellation(const std::function<bool()>& cancelled, Cancellation* outer) : cancelled_(cancelled), outer_(outer) {}
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Throws what ended the job, or one that it is inside of, if something did.
  void check();

 private:
  void ask();

  const std::function<bool()>& cancelled_;
  Cancellation* const outer_;
  const std::thread::id owner_ = std::this_thread::get_id();
  bool is_asking_ = false;     // of the owner
  std::exception_ptr reason_;  // written before ended_ is set
  std::atomic<bool> ended_ = false;
};

// For the life of the object, throw_if_cancelled() in the calling thread asks `cancelled`, and in threads that work on
// its parallel loops sees what came of it. A scope inside another adds to it; an empty function changes nothing.
// `cancelled` must outlive the object.
class CancellationScope {
 public:
  explicit CancellationScope(const std::function<bool()>& cancelled);
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  Cancellation* const saved_;
  Cancellation own_;
};

// For the life of the object, the calling thread works for the job of another one; null: for none.
class InheritedCancellation {
 public:
  explicit InheritedCancellation(Cancellation* from);
  ~InheritedCancellation();
  InheritedCancellation(const InheritedCancellation&) = delete;
  InheritedCancellation& operator=(const InheritedCancellation&) = delete;

 private:
  Cancellation* const saved_;
};

// What is in force in the calling thread; null where nothing is.
Cancellation* current_cancellation();

// Throws Error(kCancelled) if a scope in force says so, or what its function threw. To be called wherever a job may
// spend some milliseconds: between nodes, tensors, samples, blocks of a file.
void throw_if_cancelled();

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_CANCELLATION_H_
