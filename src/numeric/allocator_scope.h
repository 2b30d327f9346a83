// Where tensors that name no allocator take their bytes from.
#ifndef TWOFOLD_SRC_NUMERIC_ALLOCATOR_SCOPE_H_
#define TWOFOLD_SRC_NUMERIC_ALLOCATOR_SCOPE_H_

#include "twofold/tensor.h"

namespace twofold {

// Makes `allocator` the one of the calling thread for the life of the object; the heap is it otherwise.
class AllocatorScope {
 public:
  explicit AllocatorScope(Allocator* allocator);
  ~AllocatorScope();
  AllocatorScope(const AllocatorScope&) = delete;
  AllocatorScope& operator=(const AllocatorScope&) = delete;

 private:
  Allocator* saved_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_ALLOCATOR_SCOPE_H_
