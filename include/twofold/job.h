// What jobs that take long tell, and how they are ended.
#ifndef TWOFOLD_JOB_H_
#define TWOFOLD_JOB_H_

#include <cstdint>
#include <functional>
#include <string_view>

namespace twofold {

// Asked again and again, in the thread that called the job and by no other: true ends the job with Error(kCancelled),
// and what it throws comes out of the job. All threads of the job end then, as a rule within the time of one node. To
// end it from elsewhere, for instance: [token = source.get_token()] { return token.stop_requested(); }
using Cancelled = std::function<bool()>;

// Called with a stage's name and how far it is, in the thread that called the job and by no other. Where other threads
// are faster than this one gets to tell, it leaves numbers out. What it throws ends the job, and comes out of it.
using Progress = std::function<void(std::string_view stage, int64_t done, int64_t total)>;

}  // namespace twofold

#endif  // TWOFOLD_JOB_H_
