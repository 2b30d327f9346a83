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
  size_t asked;  // of a used one
};

}  // namespace

struct BufferPool::State {
  std::mutex mutex;
  std::vector<Buffer> idle;  // the oldest first
  size_t idle_bytes = 0, used_bytes = 0, most_used_bytes = 0;
  size_t asked_bytes = 0, most_asked_bytes = 0;  // of used_bytes

  ~State() {
    for (const Buffer& buffer : idle) std::free(buffer.bytes);
  }

  // The smallest idle buffer that holds `size`, of at most about four times that; bytes of null, and room for a new one
  // within the bound, if there is none. (With less waste allowed a run needs more buffers than the bound leaves it, and
  // frees and allocates for ever; where outputs are kept, what they waste is kept too, hence no more.)
  Buffer take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex);
    auto best = idle.end();
    for (auto it = idle.begin(); it != idle.end(); ++it) {
      if (it->size >= size && (best == idle.end() || it->size <= best->size)) best = it;
    }
    Buffer buffer{nullptr, size, size};
    if (best != idle.end() && best->size / 4 <= size) {
      buffer = {best->bytes, best->size, size};
      idle_bytes -= best->size;
      idle.erase(best);
    } else {
      while (idle_bytes + used_bytes + size > 2 * std::max(most_used_bytes, used_bytes + size)) drop_oldest();
    }
    used_bytes += buffer.size;
    asked_bytes += size;
    most_used_bytes = std::max(most_used_bytes, used_bytes);
    most_asked_bytes = std::max(most_asked_bytes, asked_bytes);
    return buffer;
  }

  void drop_oldest() {
    std::free(idle.front().bytes);
    idle_bytes -= idle.front().size;
    idle.erase(idle.begin());
  }

  void give_back(const Buffer& buffer) {
    const std::lock_guard<std::mutex> lock(mutex);
    used_bytes -= buffer.size;
    asked_bytes -= buffer.asked;
    if (buffer.bytes == nullptr) return;
    idle.push_back(buffer);
    idle_bytes += buffer.size;
  }
};

BufferPool::BufferPool() : state_(std::make_shared<State>()) {}
BufferPool::~BufferPool() = default;

size_t BufferPool::idle_bytes() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->idle_bytes;
}

size_t BufferPool::peak_bytes() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->most_asked_bytes;
}

std::shared_ptr<std::byte> BufferPool::allocate(size_t bytes) {
  const size_t rounded = (std::max<size_t>(bytes, 1) + 63) / 64 * 64;
  if (rounded < bytes) throw_error(ErrorCode::kResourceExhausted, "cannot allocate {} bytes", bytes);
  Buffer buffer = state_->take(rounded);
  if (buffer.bytes == nullptr) buffer.bytes = static_cast<std::byte*>(std::aligned_alloc(64, rounded));
  if (buffer.bytes == nullptr) {
    state_->give_back(buffer);
    throw_error(ErrorCode::kResourceExhausted, "cannot allocate {} bytes", bytes);
  }
  return {buffer.bytes, [state = state_, buffer](std::byte*) { state->give_back(buffer); }};
}

}  // namespace twofold
