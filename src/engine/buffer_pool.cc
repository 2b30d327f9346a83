#include "engine/buffer_pool.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/error.h"

namespace twofold {

namespace {

struct Buffer {
  std::byte* bytes;
  size_t size;
};

}  // namespace

struct BufferPool::State {
  std::mutex mutex;
  std::vector<Buffer> idle;  // the oldest first
  size_t idle_bytes = 0, used_bytes = 0, most_used_bytes = 0;

  ~State() {
    for (const Buffer& buffer : idle) std::free(buffer.bytes);
  }

  // The smallest idle buffer that holds `size` and wastes at most a quarter of itself; null if there is none.
  std::byte* take(size_t size, size_t& actual) {
    const std::lock_guard<std::mutex> lock(mutex);
    auto best = idle.end();
    for (auto it = idle.begin(); it != idle.end(); ++it) {
      const bool fits = it->size >= size && it->size - size <= it->size / 4;
      if (fits && (best == idle.end() || it->size <= best->size)) best = it;
    }
    std::byte* bytes = nullptr;
    if (best != idle.end()) {
      bytes = best->bytes;
      actual = best->size;
      idle_bytes -= actual;
      idle.erase(best);
    }
    used_bytes += actual;
    most_used_bytes = std::max(most_used_bytes, used_bytes);
    return bytes;
  }

  void give_back(Buffer buffer) {
    const std::lock_guard<std::mutex> lock(mutex);
    used_bytes -= buffer.size;
    idle.push_back(buffer);
    idle_bytes += buffer.size;
    while (idle_bytes + used_bytes > 2 * most_used_bytes) {
      std::free(idle.front().bytes);
      idle_bytes -= idle.front().size;
      idle.erase(idle.begin());
    }
  }

  void forget(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex);
    used_bytes -= size;
  }
};

BufferPool::BufferPool() : state_(std::make_shared<State>()) {}
BufferPool::~BufferPool() = default;

size_t BufferPool::idle_bytes() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->idle_bytes;
}

std::shared_ptr<std::byte> BufferPool::allocate(size_t bytes) {
  const size_t rounded = (std::max<size_t>(bytes, 1) + 63) / 64 * 64;
  if (rounded < bytes) throw_error(ErrorCode::kResourceExhausted, "cannot allocate {} bytes", bytes);
  size_t actual = rounded;
  std::byte* memory = state_->take(rounded, actual);
  if (memory == nullptr) memory = static_cast<std::byte*>(std::aligned_alloc(64, actual));
  if (memory == nullptr) {
    state_->forget(actual);
    throw_error(ErrorCode::kResourceExhausted, "cannot allocate {} bytes", bytes);
  }
  return {memory, [state = state_, actual](std::byte* p) { state->give_back({p, actual}); }};
}

}  // namespace twofold
