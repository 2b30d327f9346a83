// Recycles the buffers of a running graph: most of what one node frees, a later one or the next run takes again, so
// that a model which has run twice asks the operating system for nothing more.
#ifndef TWOFOLD_SRC_ENGINE_BUFFER_POOL_H_
#define TWOFOLD_SRC_ENGINE_BUFFER_POOL_H_

#include <memory>

#include "twofold/tensor.h"

namespace twofold {

// Buffers may outlive the pool. All of them together never take more than twice what was in use at once at most.
// Thread-safe.
class BufferPool final : public Allocator {
 public:
  BufferPool();
  ~BufferPool() override;
  std::shared_ptr<std::byte> allocate(size_t bytes) override;
  // Bytes that lie unused.
  size_t idle_bytes() const;
  // The most bytes that were asked for and not yet given back, so far.
  size_t peak_bytes() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_BUFFER_POOL_H_
