// What a session and its kept runs hold.
#ifndef TWOFOLD_SRC_API_SESSION_STATE_H_
#define TWOFOLD_SRC_API_SESSION_STATE_H_

#include <memory>
#include <string>
#include <vector>

#include "engine/lowered_model.h"
#include "twofold/session.h"

namespace twofold {

struct Session::State {
  State(Graph graph, const SessionOptions& options);

  std::vector<TensorInfo> inputs, outputs;
  std::vector<std::string> known;  // the names of all tensors of the model that are not constant
  LoweredModel model;
};

struct KeptRun::State {
  State(std::shared_ptr<const Session::State> of, const std::vector<Tensor>& inputs, size_t memory_cap)
      : session(std::move(of)), values(session->model.keep(inputs, memory_cap)) {}

  // Throws Error(kInvalidArgument) that says what to do for a name that is none of a watched tensor.
  void check_name(const std::string& name) const;

  std::shared_ptr<const Session::State> session;
  KeptValues values;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_SESSION_STATE_H_
