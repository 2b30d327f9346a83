// An allocator that knows how much of what it gave is still in use.
#ifndef TWOFOLD_TESTS_KERNELS_COUNTING_ALLOCATOR_H_
#define TWOFOLD_TESTS_KERNELS_COUNTING_ALLOCATOR_H_

#include <cstdlib>
#include <memory>

#include "twofold/tensor.h"

namespace twofold::kernels {

class CountingAllocator final : public Allocator {
 public:
  int given = 0, in_use = 0;  // buffers

  std::shared_ptr<std::byte> allocate(size_t bytes) override {
    ++given;
    ++in_use;
    auto* const memory = static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
    return {memory, [this](std::byte* data) {
              --in_use;
              std::free(data);
            }};
  }
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_TESTS_KERNELS_COUNTING_ALLOCATOR_H_
