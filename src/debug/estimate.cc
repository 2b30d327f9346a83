#include "debug/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <numeric>

#include "base/parallel_for.h"
#include "base/parallel_tasks.h"
#include "debug/cotangents.h"
#include "debug/local_errors.h"
#include "debug/output_sweep.h"
#include "debug/projections.h"
#include "infer/element_types.h"

namespace twofold {

namespace {

// Outputs of at most so many elements are swept once for each.
constexpr int64_t kFewElements = 16;
// What those left out may at most add to the error of the worse half, and how many standard errors that is sure by.
constexpr double kMayMiss = 0.05, kSureBy = 2;
// An error as large as the signal is not told apart from a larger one: the first order ends long before.
constexpr double kRuined = 1;

size_t index_of(Metric metric) { return static_cast<size_t>(metric); }

// The float model's run on one sample, and what each unit does there.
struct SampleState {
  SampleValues values;  // all but constants
  std::map<ValueId, Shape> shapes;
  std::vector<LocalError> errors;

  size_t bytes() const {
    size_t sum = 0;
    for (const auto& [id, tensor] : values) sum += tensor.byte_size();
    for (const LocalError& error : errors) sum += error.error.byte_size();
    return sum;
  }
};

// One direction in which a sample is swept.
struct Direction {
  enum class Kind : uint8_t { kElement, kAlong, kAcross };

  size_t state = 0;
  Kind kind = Kind::kAcross;
  int64_t index = 0;                     // of the element, or of the probe
  std::vector<double> projections = {};  // per unit, once it is swept
};

class Estimator {
 public:
  Estimator(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units, const EstimateOptions& options)
      : model_(model),
        graph_(model.graph()),
        options_(options),
        nodes_(unit_nodes(graph_, operands_of(graph_, plan, units))),
        reasons_(units.size()),
        samples_(model.samples().size()) {}

  Estimates run() {
    if (units() == 0) return {};
    const ThreadScope threads(options_.threads);
    load(0);
    for (const size_t output : options_.outputs) {
      sweep(output, found_.try_emplace(output, samples_, units()).first->second);
    }
    for (size_t unit = 0; unit < units(); ++unit) {
      result_.units.push_back(reasons_[unit].empty() ? std::optional(estimate(unit)) : std::nullopt);
    }
    add_notes();
    return std::move(result_);
  }

 private:
  size_t units() const { return reasons_.size(); }

  // --- samples

  // The states of the samples from `begin` on: as many as may be kept.
  void load(size_t begin) {
    if (!states_.empty() && first_ == begin) return;
    states_.clear();
    first_ = begin;
    states_.resize(1);
    size_t done = 0;
    if (kept_ == 0) {
      fill(done);
      done = 1;
      kept_ = std::clamp<size_t>(options_.memory_cap / std::max<size_t>(states_[0].bytes(), 1), 1, samples_);
    }
    states_.resize(std::min(kept_, samples_ - begin));
    if (done < states_.size()) fill(done);
  }

  // Those from `begin` on, side by side.
  void fill(size_t begin) {
    if (forward_ == nullptr) forward_ = std::make_unique<Executor>(graph_, ExecutorOptions{1, computed_values()});
    const auto count = static_cast<int64_t>(states_.size() - begin);
    parallel_tasks(count, [&](int64_t i) {
      SampleState& state = states_[begin + static_cast<size_t>(i)];
      const std::vector<Tensor> inputs = model_.samples().inputs(first_ + begin + static_cast<size_t>(i));
      forward_->run(inputs, [&](ValueId id, const Tensor& tensor) {
        state.values[id] = tensor;
        state.shapes[id] = tensor.shape();
      });
    });
    const auto nodes = static_cast<int64_t>(nodes_.size());
    std::vector<std::vector<LocalError>> errors(static_cast<size_t>(count * nodes));
    parallel_tasks(count * nodes, [&](int64_t i) {
      const SampleState& state = states_[begin + static_cast<size_t>(i / nodes)];
      errors[static_cast<size_t>(i)] =
          local_errors(graph_, nodes_[static_cast<size_t>(i % nodes)], state.values, model_.weights());
    });
    for (size_t i = 0; i < errors.size(); ++i) {
      std::vector<LocalError>& of_sample = states_[begin + i / nodes_.size()].errors;
      std::ranges::move(errors[i], std::back_inserter(of_sample));
    }
  }

  std::vector<ValueId> computed_values() const {
    std::vector<ValueId> values = graph_.inputs;
    for (const NodeId id : graph_.topological_order()) {
      std::ranges::copy_if(graph_.node(id).outputs, std::back_inserter(values), [](ValueId v) { return v != kNone; });
    }
    return values;
  }

  // --- sweeps

  void sweep(size_t output, Projections& found) {
    std::shared_ptr<OutputSweep> sweep = sweep_of(output, states_[0], nullptr);
    note_flaws(*sweep);
    const SampleValues& values = states_[0].values;
    const auto swept = values.find(graph_.outputs[output].value);
    if (swept == values.end() || !is_float(swept->second.dtype())) return;
    const auto samples = static_cast<int64_t>(samples_);
    const int64_t per_round = std::max<int64_t>((options_.least_probes + samples - 1) / samples, 1);
    const int64_t rounds = std::max<int64_t>(options_.most_probes / (per_round * samples), 1);
    for (int64_t round = 0; round < rounds; ++round) {
      for (size_t begin = 0; begin < samples_; begin += kept_) {
        load(begin);
        sweep_states(output, round * per_round, per_round, sweep, found);
      }
      if (settled(found)) break;
    }
  }

  // One for samples of these shapes: `known`, or another one.
  std::shared_ptr<OutputSweep> sweep_of(size_t output, const SampleState& state,
                                        const std::shared_ptr<OutputSweep>& known) {
    if (known != nullptr && known->shapes() == state.shapes) return known;
    std::set<ValueId> wanted;
    for (const UnitNode& node : nodes_) {
      for (const ValueId value : graph_.node(node.node).outputs) {
        if (value != kNone && is_float(state.values.at(value).dtype())) wanted.insert(value);
      }
    }
    return std::make_shared<OutputSweep>(graph_, output, state.shapes, wanted);
  }

  void note_flaws(const OutputSweep& sweep) {
    for (const UnitNode& node : nodes_) {
      for (const ValueId value : graph_.node(node.node).outputs) {
        if (value != kNone && reasons_[node.unit].empty()) reasons_[node.unit] = sweep.flaw(value);
      }
    }
  }

  // The probes from number `from` on, of all samples that are loaded.
  void sweep_states(size_t output, int64_t from, int64_t count, std::shared_ptr<OutputSweep>& sweep,
                    Projections& found) {
    std::vector<Cotangents> cotangents;
    std::vector<std::shared_ptr<OutputSweep>> sweeps;
    std::vector<Direction> directions;
    for (size_t i = 0; i < states_.size(); ++i) {
      constexpr uint64_t kOutputs = 1'000'003;
      cotangents.emplace_back(states_[i].values.at(graph_.outputs[output].value), (first_ + i) * kOutputs + output);
      sweep = sweep_of(output, states_[i], sweep);
      sweeps.push_back(sweep);
      add_directions(i, cotangents.back(), from, count, directions);
    }
    parallel_tasks(static_cast<int64_t>(directions.size()), [&](int64_t i) {
      Direction& direction = directions[static_cast<size_t>(i)];
      const SampleState& state = states_[direction.state];
      direction.projections = sweeps[direction.state]->project(
          state.values, state.errors, cotangent(cotangents[direction.state], direction), units());
    });
    result_.sweeps += static_cast<int64_t>(directions.size());
    for (const Direction& direction : directions) {
      add(direction, cotangents[direction.state], found.sample(first_ + direction.state));
    }
  }

  static void add_directions(size_t state, const Cotangents& cotangents, int64_t from, int64_t count,
                             std::vector<Direction>& directions) {
    using Kind = Direction::Kind;
    if (cotangents.size() <= kFewElements) {
      for (int64_t i = 0; from == 0 && i < cotangents.size(); ++i) directions.push_back({state, Kind::kElement, i});
      return;
    }
    if (from == 0 && cotangents.signal() > 0) directions.push_back({state, Kind::kAlong, 0});
    for (int64_t i = from; i < from + count; ++i) directions.push_back({state, Kind::kAcross, i});
  }

  static Tensor cotangent(const Cotangents& cotangents, const Direction& direction) {
    switch (direction.kind) {
      case Direction::Kind::kElement: return cotangents.unit(direction.index);
      case Direction::Kind::kAlong: return cotangents.along();
      case Direction::Kind::kAcross: return cotangents.across(direction.index);
    }
    return {};
  }

  void add(const Direction& direction, const Cotangents& cotangents, SampleProjections& found) {
    found.signal = cotangents.signal();
    found.elements = cotangents.size();
    found.is_exact = direction.kind == Direction::Kind::kElement;
    if (direction.kind == Direction::Kind::kAcross) ++found.probes;
    const double along = found.is_exact ? cotangents.share(direction.index) : 0;
    for (size_t unit = 0; unit < units(); ++unit) {
      const double s = direction.projections[unit];
      if (!std::isfinite(s) && reasons_[unit].empty()) reasons_[unit] = "the gradient is not finite";
      switch (direction.kind) {
        case Direction::Kind::kElement: found.add_element(unit, s, along); break;
        case Direction::Kind::kAlong: found.along[unit] = s; break;
        case Direction::Kind::kAcross: found.across[unit] += s * s; break;
      }
    }
  }

  // --- results

  // Whether the worst units are sure to be among those that will be measured.
  bool settled(const Projections& found) const {
    struct Score {
      double noise, most;  // that it may well be
    };
    std::vector<Score> scores;
    for (size_t unit = 0; unit < units(); ++unit) {
      if (!reasons_[unit].empty()) continue;
      const double across = found.noise_across(unit);
      const double noise = options_.metric == Metric::kCosineSimilarity ? across : found.noise(unit);
      // An estimate that is too small says so of its error too: what counts is their ratio.
      const double ratio = across > 0 ? found.standard_error(unit) / across : 0;
      const double most = noise + across * (std::exp(kSureBy * ratio) - 1);
      scores.push_back({std::min(noise, kRuined), std::min(most, kRuined)});
    }
    if (scores.size() <= options_.top || options_.top == 0) return true;
    std::ranges::sort(scores, std::greater(), &Score::noise);
    const size_t half = (options_.top + 1) / 2;
    double worst = 0, missed = 0;
    for (size_t i = 0; i < half; ++i) worst += scores[i].noise;
    for (size_t i = options_.top; i < scores.size(); ++i) {
      missed += std::max(scores[i].most - scores[half - 1].noise, 0.0);
    }
    return missed <= kMayMiss * worst;
  }

  UnitEstimate estimate(size_t unit) const {
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    UnitEstimate result;
    Sensitivity::Values unknown;
    unknown.fill(kUnknown);
    std::vector<Sensitivity::Values> values(graph_.outputs.size(), unknown);
    for (const auto& [output, found] : found_) {
      const double noise = found.noise(unit);
      values[output][index_of(Metric::kSqnr)] = -10 * std::log10(noise);
      values[output][index_of(Metric::kMse)] = found.mse(unit);
      values[output][index_of(Metric::kCosineSimilarity)] = found.cosine(unit);
      if (noise < result.noise) continue;
      result.noise = noise;
      result.error = found.standard_error(unit);
    }
    result.sensitivity = Sensitivity({std::move(values)});
    return result;
  }

  void add_notes() {
    std::map<std::string, int> counts;
    for (const std::string& reason : reasons_) {
      if (!reason.empty()) ++counts[reason];
    }
    for (const auto& [reason, count] : counts) {
      result_.notes.push_back(
          fmt::format("{} of {} units cannot be estimated and are measured: {}", count, units(), reason));
    }
  }

  CalibratedModel& model_;
  const Graph& graph_;
  const EstimateOptions& options_;
  const std::vector<UnitNode> nodes_;
  std::vector<std::string> reasons_;  // per unit: why it cannot be estimated
  const size_t samples_;
  std::unique_ptr<const Executor> forward_;
  std::vector<SampleState> states_;      // of the samples from first_ on
  size_t first_ = 0, kept_ = 0;          // how many states may be kept, once that is known
  std::map<size_t, Projections> found_;  // by output
  Estimates result_;
};

}  // namespace

bool can_be_estimated(Metric metric) {
  return metric == Metric::kCosineSimilarity || metric == Metric::kMse || metric == Metric::kSqnr;
}

Estimates estimate_sensitivity(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units,
                               const EstimateOptions& options) {
  return Estimator(model, plan, units, options).run();
}

std::vector<size_t> units_to_confirm(const Estimates& estimates, const std::vector<size_t>& outputs, Metric metric,
                                     size_t count) {
  std::vector<size_t> chosen, others;
  for (size_t i = 0; i < estimates.units.size(); ++i) (estimates.units[i] ? others : chosen).push_back(i);
  const auto value = [&](size_t unit) { return estimates.units[unit]->sensitivity.worst(outputs, metric); };
  std::ranges::stable_sort(others, [&](size_t a, size_t b) { return better(metric, value(b), value(a)); });
  others.resize(std::min(count, others.size()));
  chosen.insert(chosen.end(), others.begin(), others.end());
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace twofold
