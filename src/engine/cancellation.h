// How a run that someone has given up comes to an end.
#ifndef TWOFOLD_SRC_ENGINE_CANCELLATION_H_
#define TWOFOLD_SRC_ENGINE_CANCELLATION_H_

#include <functional>

namespace twofold {

// For the life of the object, what the calling thread runs asks `cancelled` before every node, those in the bodies of
// If, Loop and Scan included. An empty function never cancels. It must outlive the object.
class CancellationScope {
 public:
  explicit CancellationScope(const std::function<bool()>& cancelled);
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  const std::function<bool()>* saved_;
};

// Throws Error(kCancelled) if the scope in force says so, and whatever its function throws.
void throw_if_cancelled();

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_CANCELLATION_H_
