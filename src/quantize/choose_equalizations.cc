#include "quantize/choose_equalizations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "calibrate/calibrate.h"
#include "quantize/decide.h"
#include "quantize/equalize.h"
#include "quantize/fit_biases.h"
#include "quantize/observation_requests.h"
#include "quantize/output_noise.h"
#include "quantize/site_ranges.h"
#include "quantize/trials.h"

namespace twofold {

namespace {

// Channels are uneven from this ratio of the largest magnitude to the median one on. Halfway to even, which alpha 0.5
// is, the largest of 8 loses a factor of 2 to 4, so that most channels gain a bit or two; of less, rounding to powers
// of two leaves next to nothing. Outliers of transformers have ratios of 20 and more.
constexpr double kUneven = 8;
// The share of the error that has to be left at most: half a dB, which chance on a few samples does not bring about.
constexpr double kWorthwhile = 0.9;
// How much of a channel's range goes over to the weights; all of it where these have a scale for each channel, as
// depthwise ones do.
constexpr std::array kAlphas = {0.5, 0.75, 1.0};
// Of the largest weight: smaller ones count as if they were so large.
constexpr double kSmallestWeight = 1.0 / 1024;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// The largest magnitudes of channels are finite, and some are far larger than most. Channels of zeros do not count.
bool is_uneven(const std::vector<float>& abs_max) {
  std::vector<double> magnitudes;
  for (const float magnitude : abs_max) {
    if (!std::isfinite(magnitude)) return false;
    if (magnitude > 0) magnitudes.push_back(magnitude);
  }
  return !magnitudes.empty() && *std::ranges::max_element(magnitudes) >= kUneven * median(magnitudes);
}

// s = x^alpha / w^(1-alpha) as powers of two, that of the median channel being 1.
std::vector<int> exponents_of(const std::vector<float>& x, const std::vector<float>& w, double alpha) {
  const double smallest = kSmallestWeight * *std::ranges::max_element(w);
  std::vector<double> logs(x.size()), seen;
  for (size_t c = 0; c < x.size(); ++c) {
    if (x[c] == 0) continue;
    logs[c] = alpha * std::log2(x[c]) - (1 - alpha) * std::log2(std::max<double>(w[c], smallest));
    seen.push_back(logs[c]);
  }
  const double middle = median(seen);
  std::vector<int> exponents(x.size(), 0);
  for (size_t c = 0; c < x.size(); ++c) {
    if (x[c] == 0) continue;
    exponents[c] = static_cast<int>(std::clamp<double>(std::round(logs[c] - middle), -kMaxExponent, kMaxExponent));
  }
  return exponents;
}

// The largest magnitude of the weights that each channel meets.
std::vector<float> weight_ranges(const Graph& graph, const EqualizationSite& site) {
  std::vector<float> ranges(static_cast<size_t>(site.channels), 0.0F);
  for (const ChannelConstant& weight : site.multiplied) {
    const std::span<const float> numbers = graph.constant(graph.node(weight.node).input(weight.input))->data<float>();
    for (size_t i = 0; i < numbers.size(); ++i) {
      float& largest = ranges[static_cast<size_t>(weight.map.channel(static_cast<int64_t>(i)))];
      largest = std::max(largest, std::fabs(numbers[i]));
    }
  }
  return ranges;
}

// The operands of nodes that `belongs` holds for.
template <typename Predicate>
Plan part_of(const Plan& plan, const Predicate& belongs) {
  Plan part;
  for (const OperandPlan& operand : plan.operands()) {
    if (belongs(operand.node)) part.add(operand);
  }
  return part;
}

class Chooser {
 public:
  Chooser(CalibratedModel& model, const Plan& plan, const CalibratedModel::OnSample& progress)
      : model_(model), plan_(plan), progress_(progress) {
    // Ranges that cut nothing off.
    for (size_t i = 0; i < plan_.operands().size(); ++i) plan_.operand(i).activation.methods = {RangeMethod::kMax};
    for (EqualizationSite& site : EqualizationSites(model.graph()).all()) {
      if (is_read_as_int8(site)) sites_.push_back(std::move(site));
    }
  }

  size_t num_sites() const { return sites_.size(); }

  // In graph order.
  std::vector<Equalization> choose() {
    observe_sites();
    std::erase_if(sites_, [this](const EqualizationSite& site) { return !is_uneven(activation_ranges(site)); });
    if (sites_.empty()) return {};
    observe_others();
    trials_.emplace(model_, Trials::Options{}).set_base({});
    total_ = static_cast<int64_t>(sites_.size() * (1 + kAlphas.size()) + 2);
    std::vector<Equalization> chosen;
    Graph graph = model_.graph();
    for (const EqualizationSite& site : sites_) {
      std::optional<Equalization> best = best_of(site);
      if (!best) continue;
      // Two sites may scale one weight.
      best->exponents = exact_exponents(graph, site, std::move(best->exponents));
      graph = equalize(graph, {*best});
      chosen.push_back(*std::move(best));
    }
    if (chosen.empty()) return {};
    const double before = noise({}, plan_), after = noise(chosen, plan_);
    if (!(after < before)) return {};
    gain_ = 10 * std::log10(before / after);
    return chosen;
  }

  // Of the whole quantized model, in dB.
  double gain() const { return gain_; }

 private:
  bool is_read_as_int8(const EqualizationSite& site) const {
    return std::ranges::any_of(site.multiplied, [this](const ChannelConstant& weight) {
      const OperandPlan* x = plan_.find(model_.graph().node(weight.node).name, OperandRef::input(0));
      return x != nullptr && x->granted == QType::kInt8;
    });
  }

  void observe_sites() {
    for (const EqualizationSite& site : sites_) {
      for (const EqualizationSite::ScaledTensor& tensor : site.tensors) axes_.emplace(tensor.value, tensor.axis);
    }
    ranges_ = observe_axes(model_, axes_);
  }

  // Everything else that trials make integers of.
  void observe_others() {
    const Graph& graph = model_.graph();
    std::vector<ValueRequest> requests = observation_requests(graph, plan_);
    for (const OperandPlan& operand : plan_.operands()) {
      if (is_quantized_activation(graph, operand)) requests.push_back({graph.find_value(operand.value)});
    }
    for (const auto& [value, axis] : axes_) requests.push_back({value});
    for (ValueRequest& request : requests) request.level = ObserveLevel::kMinMax;
    const CalibrationOptions options{.threads = model_.threads(),
                                     .max_samples = static_cast<int64_t>(model_.samples().size())};
    CalibrationResult seen = calibrate(graph, model_.data("to calibrate with"), requests, options);
    statistics_ = std::move(seen.statistics);
    leave_float(seen.refused);
  }

  // Nodes with a tensor that no range can be made of.
  void leave_float(const std::map<ValueId, std::string>& refused) {
    std::set<std::string> nodes;
    for (const OperandPlan& operand : plan_.operands()) {
      if (refused.contains(model_.graph().find_value(operand.value))) nodes.insert(operand.node);
    }
    if (!nodes.empty()) plan_ = part_of(plan_, [&nodes](const std::string& node) { return !nodes.contains(node); });
  }

  // The largest magnitude of each channel where products read it.
  std::vector<float> activation_ranges(const EqualizationSite& site) const {
    std::vector<float> largest(static_cast<size_t>(site.channels), 0.0F);
    for (const EqualizationSite::ScaledTensor& tensor : site.tensors) {
      if (!tensor.is_read || !ranges_.contains(tensor.value)) continue;
      const std::vector<float> seen = ranges_.at(tensor.value).abs_max(tensor.axis.repeat);
      for (size_t c = 0; c < largest.size(); ++c) largest[c] = std::max(largest[c], seen[c]);
    }
    return largest;
  }

  std::optional<Equalization> best_of(const EqualizationSite& site) {
    const Graph& graph = model_.graph();
    Equalization trial{graph.value(site.tensor()).name, {}, {}};
    for (const NodeId id : site.nodes) trial.nodes.push_back(graph.node(id).name);
    const Plan part =
        part_of(plan_, [&trial](const std::string& node) { return std::ranges::count(trial.nodes, node) > 0; });
    const std::vector<float> x = activation_ranges(site), w = weight_ranges(graph, site);
    double least = kWorthwhile * noise({}, part);
    std::optional<Equalization> best;
    std::set<std::vector<int>> tried = {std::vector<int>(x.size(), 0)};
    for (const double alpha : kAlphas) {
      trial.exponents = exact_exponents(graph, site, exponents_of(x, w, alpha));
      const bool is_new = tried.insert(trial.exponents).second;
      const double error = is_new ? noise({trial}, part) : skip();
      if (!(error < least)) continue;
      least = error;
      best = trial;
    }
    return best;
  }

  double skip() {
    advance();
    return HUGE_VAL;
  }

  // That of the model with these equalizations and operands.
  double noise(const std::vector<Equalization>& equalizations, Plan plan) {
    Graph variant = equalize(model_.graph(), equalizations);
    rename_operands(variant, plan);
    const ValueStatistics seen = statistics_of(equalizations);
    decide_constants(variant, plan);
    Ranges ranges(variant, plan, seen);
    fit_biases(variant, ranges, plan);
    decide_activations(variant, ranges, {}, plan);
    WeightCache weights;  // of this one alone
    const std::vector<OperandQuantization> operands = decided_operands(variant, plan);
    apply_quantization(variant, operands, weights);
    const double result = output_noise(trials_->errors(std::move(variant)));
    advance();
    return result;
  }

  // Of equalized tensors, what their channels have become.
  ValueStatistics statistics_of(const std::vector<Equalization>& equalizations) const {
    ValueStatistics result = statistics_;
    for (const EqualizationSite& site : sites_) {
      const auto it = std::ranges::find(equalizations, model_.graph().value(site.tensor()).name, &Equalization::tensor);
      if (it == equalizations.end()) continue;
      for (const EqualizationSite::ScaledTensor& tensor : site.tensors) {
        result.insert_or_assign(tensor.value, scaled(ranges_.at(tensor.value), tensor.axis.repeat, it->exponents));
      }
    }
    return result;
  }

  static RangeStatistics scaled(const AxisRanges& ranges, int64_t repeat, const std::vector<int>& exponents) {
    std::array<float, 2> range{};
    for (size_t d = 0; d < ranges.min.size(); ++d) {
      const int exponent = exponents[d / static_cast<size_t>(repeat)];
      range = {std::min(range[0], std::ldexp(ranges.min[d], -exponent)),
               std::max(range[1], std::ldexp(ranges.max[d], -exponent))};
    }
    RangeStatistics statistics;
    statistics.observe(Tensor::from<float>({2}, std::span<const float>(range)));
    return statistics;
  }

  void advance() {
    if (progress_) progress_(++done_, total_);
  }

  CalibratedModel& model_;
  Plan plan_;
  const CalibratedModel::OnSample& progress_;
  std::vector<EqualizationSite> sites_;
  std::map<ValueId, ChannelAxis> axes_;
  std::map<ValueId, AxisRanges> ranges_;
  ValueStatistics statistics_;
  std::optional<Trials> trials_;  // once there is something to try
  double gain_ = 0;
  int64_t done_ = 0, total_ = 0;
};

std::string note_of(const std::vector<Equalization>& chosen, double gain) {
  constexpr size_t kShown = 5;
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(chosen.size(), kShown); ++i) names.push_back("'" + chosen[i].tensor + "'");
  return fmt::format(
      "{} tensor{} equalized, whose channels were uneven ({}{}): with ranges that cut nothing off, the error of the "
      "outputs falls by {:.1f} dB",
      chosen.size(), chosen.size() == 1 ? " is" : "s are", fmt::join(names, ", "),
      chosen.size() > kShown ? fmt::format(" and {} more", chosen.size() - kShown) : "", gain);
}

}  // namespace

std::optional<std::string> choose_equalizations(CalibratedModel& model, const Plan& plan,
                                                const CalibratedModel::OnSample& progress) {
  Chooser chooser(model, plan, progress);
  if (chooser.num_sites() == 0) return std::nullopt;
  if (!model.observes()) {
    return fmt::format(
        "no tensor is equalized, though {} could be tried: the statistics are those of the model as it is",
        chooser.num_sites());
  }
  model.data("to calibrate with");
  const std::vector<Equalization> chosen = chooser.choose();
  if (chosen.empty()) return std::nullopt;
  model.equalize(chosen);
  return note_of(chosen, chooser.gain());
}

}  // namespace twofold
