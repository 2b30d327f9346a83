#include "engine/kernel_cache.h"

namespace twofold {

namespace {

// Entries from which on those whose kernel is gone are looked for.
constexpr size_t kMany = 4096;

}  // namespace

std::shared_ptr<const Kernel> KernelCache::find(const ContentHash& key, const Make& make) {
  if (const auto it = kernels_.find(key); it != kernels_.end()) {
    if (std::shared_ptr<const Kernel> kernel = it->second.lock()) return kernel;
  }
  std::shared_ptr<const Kernel> kernel = make();
  ++made_;
  if (kernels_.size() >= kMany) std::erase_if(kernels_, [](const auto& entry) { return entry.second.expired(); });
  kernels_[key] = kernel;
  return kernel;
}

}  // namespace twofold
