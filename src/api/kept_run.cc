#include <algorithm>

#include "api/session_state.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/nearest_names.h"

namespace twofold {

void KeptRun::State::check_name(const std::string& name) const {
  const std::map<std::string, WatchedTensor>& known = session->model.watched();
  if (known.contains(name)) return;
  if (std::ranges::find(session->known, name) != session->known.end()) {
    throw_error(ErrorCode::kInvalidArgument,
                "tensor '{}' is not watched: name it in the session's option `watched` to read or change it", name);
  }
  std::vector<std::string> names;
  for (const auto& [watched, tensor] : known) names.push_back(watched);
  throw_error(ErrorCode::kInvalidArgument,
              "the model has no tensor '{}'; the nearest that are inputs or watched are: {}", name,
              quoted_list(nearest_names(name, names, 3)));
}

KeptRun::KeptRun(std::unique_ptr<const State> state) : state_(std::move(state)) {}
KeptRun::~KeptRun() = default;
KeptRun::KeptRun(KeptRun&&) noexcept = default;
KeptRun& KeptRun::operator=(KeptRun&&) noexcept = default;

const std::vector<Tensor>& KeptRun::outputs() const { return state_->values.outputs(); }
size_t KeptRun::kept_bytes() const { return state_->values.kept_bytes(); }

Tensor KeptRun::value(const std::string& name, const Cancelled& cancelled) const {
  state_->check_name(name);
  const CancellationScope scope(cancelled);
  return state_->session->model.value(state_->values, name);
}

std::vector<Tensor> KeptRun::run_from(const std::map<std::string, Tensor>& changed, const Cancelled& cancelled) const {
  for (const auto& [name, tensor] : changed) state_->check_name(name);
  const CancellationScope scope(cancelled);
  return state_->values.run_from(state_->session->model.changes(state_->values, changed));
}

int64_t KeptRun::nodes_to_run(const std::vector<std::string>& names) const {
  std::vector<ValueId> ids;
  for (const std::string& name : names) {
    state_->check_name(name);
    const std::vector<ValueId> values = state_->session->model.values(name);
    ids.insert(ids.end(), values.begin(), values.end());
  }
  return state_->values.nodes_to_run(ids);
}

}  // namespace twofold
