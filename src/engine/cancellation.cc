#include "engine/cancellation.h"

#include "base/error.h"

namespace twofold {

namespace {

thread_local const std::function<bool()>* current = nullptr;

}  // namespace

CancellationScope::CancellationScope(const std::function<bool()>& cancelled) : saved_(current) {
  current = cancelled ? &cancelled : nullptr;
}

CancellationScope::~CancellationScope() { current = saved_; }

void throw_if_cancelled() {
  if (current != nullptr && (*current)()) throw_error(ErrorCode::kCancelled, "the run was cancelled");
}

}  // namespace twofold
