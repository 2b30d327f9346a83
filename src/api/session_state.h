// What a session and its kept runs hold.
#ifndef TWOFOLD_SRC_API_SESSION_STATE_H_
#define TWOFOLD_SRC_API_SESSION_STATE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/kept_values.h"
#include "engine/watched_tensors.h"
#include "twofold/session.h"

namespace twofold {

struct Session::State {
  State(Graph graph, const SessionOptions& options);

  std::vector<TensorInfo> inputs, outputs;
  std::vector<std::string> known;                // the names of all tensors of the model that are not constant
  std::map<std::string, WatchedTensor> watched;  // inputs are among them
  std::unique_ptr<const Executor> executor;
};

struct KeptRun::State {
  State(std::shared_ptr<const Session::State> of, const std::vector<Tensor>& inputs, size_t memory_cap)
      : session(std::move(of)), values(*session->executor, inputs, memory_cap) {}

  // Throws Error(kInvalidArgument) that says what to do for a name that is none.
  const WatchedTensor& find(const std::string& name) const;

  std::shared_ptr<const Session::State> session;
  KeptValues values;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_SESSION_STATE_H_
