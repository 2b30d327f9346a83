#include "base/cancellation.h"

#include "base/error.h"

namespace twofold {

namespace {

thread_local Cancellation* current = nullptr;

}  // namespace

void Cancellation::check() {
  for (Cancellation* job = this; job != nullptr; job = job->outer_) {
    if (job->ended_.load(std::memory_order_acquire)) std::rethrow_exception(job->reason_);
    if (job->owner_ == std::this_thread::get_id() && !job->is_asking_) job->ask();
  }
}

void Cancellation::ask() {
  is_asking_ = true;  // what the function runs does not ask it again
  try {
    if (cancelled_()) throw_error(ErrorCode::kCancelled, "the run was cancelled");
  } catch (...) {
    reason_ = std::current_exception();
    ended_.store(true, std::memory_order_release);
    throw;
  }
  is_asking_ = false;
}

CancellationScope::CancellationScope(const std::function<bool()>& cancelled)
    : saved_(current), own_(cancelled, current) {
  if (cancelled) current = &own_;
}

CancellationScope::~CancellationScope() { current = saved_; }

InheritedCancellation::InheritedCancellation(Cancellation* from) : saved_(current) { current = from; }

InheritedCancellation::~InheritedCancellation() { current = saved_; }

Cancellation* current_cancellation() { return current; }

void throw_if_cancelled() {
  if (current != nullptr) current->check();
}

}  // namespace twofold
