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

  // The smallest idle buffer that holds `size`, of at most about four times that; null, and room for a new one within
  // the bound, if there is none. (With less waste allowed a run needs more buffers than the bound leaves it, and frees
  // and allocates for ever; where outputs are kept, what they waste is kept too, hence no more.)
  std::byte* take(size_t size, size_t& actual) {
    const std::lock_guard<std::mutex> lock(mutex);
    auto best = idle.end();
    for (auto it = idle.begin(); it != idle.end(); ++it) {
      if (it->size >= size && (best == idle.end() || it->size <= best->size)) best = it;
    }
    const size_t bound = 2 * std::max(most_used_bytes, used_bytes + size);
    std::byte* bytes = nullptr;
    if (best != idle.end() && best->size / 4 <= size) {
      bytes = best->bytes;
      actual = best->size;
      idle_bytes -= actual;
      idle.erase(best);
    } else {
      while (idle_bytes + used_bytes + size > bound) drop_oldest();
    }
    used_bytes += actual;
    most_used_bytes = std::max(most_used_bytes, used_bytes);
    return bytes;
  }

  void drop_oldest() {
    std::free(idle.front().bytes);
    idle_bytes -= idle.front().size;
    idle.erase(idle.begin());
  }

  void give_back(Buffer buffer) {
    const std::lock_guard<std::mutex> lock(mutex);
    used_bytes -= buffer.size;
    idle.push_back(buffer);
    idle_bytes += buffer.size;
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
