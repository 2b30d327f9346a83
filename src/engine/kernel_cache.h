// What programs of one model's variants have in common.
#ifndef TWOFOLD_SRC_ENGINE_KERNEL_CACHE_H_
#define TWOFOLD_SRC_ENGINE_KERNEL_CACHE_H_

#include <functional>
#include <map>
#include <memory>

#include "base/content_hash.h"
#include "engine/buffer_pool.h"
#include "graph/structural_keys.h"
#include "ops/op.h"

namespace twofold {

// Kernels by what they depend on, as long as a program has them. Not thread-safe.
class KernelCache {
 public:
  using Make = std::function<std::unique_ptr<Kernel>()>;

  std::shared_ptr<const Kernel> find(const ContentHash& key, const Make& make);
  // How many were not there and had to be made.
  int64_t made() const { return made_; }

 private:
  std::map<ContentHash, std::weak_ptr<const Kernel>> kernels_;
  int64_t made_ = 0;
};

// One for all programs of a model, which have the same options. Not thread-safe.
struct ProgramCache {
  KernelCache kernels;
  StructuralKeys keys;
  BufferPool pool;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_KERNEL_CACHE_H_
