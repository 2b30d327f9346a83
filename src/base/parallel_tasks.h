// Tasks of unequal length over all threads; parallel_for is for loops whose steps take the same time.
#ifndef TWOFOLD_SRC_BASE_PARALLEL_TASKS_H_
#define TWOFOLD_SRC_BASE_PARALLEL_TASKS_H_

#include <cstdint>
#include <functional>

namespace twofold {

// Calls task(0), ..., task(n - 1) in num_threads() threads, each of which takes the lowest number that is left when it
// is done with one; returns when all are done. `before`(i), where there is one, goes before task(i), in the same
// thread, but one after the other: in the order of the numbers and never in two threads at once.
//
// Once something was thrown or the job is cancelled, no more tasks begin; of several exceptions, that of the lowest
// number is rethrown here, the same one for any number of threads. The calling thread goes on asking whether the job is
// cancelled while it waits for the others. Loops that a task starts run in one thread, unless all tasks run in the
// calling one.
void parallel_tasks(int64_t n, const std::function<void(int64_t)>& task,
                    const std::function<void(int64_t)>& before = nullptr);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_PARALLEL_TASKS_H_
