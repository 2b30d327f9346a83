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
#include "traits/op_names.h"

namespace twofold {

namespace {

// Channels are uneven from this ratio of the largest magnitude to the median one on: halfway to even, which alpha 0.5
// is, rounding to powers of two leaves nothing of less. Outliers of transformers have ratios of 20 and more.
constexpr double kUneven = 2;
// The share of the error that has to be left at most: half a dB, which chance on a few samples does not bring about.
constexpr double kWorthwhile = 0.9;
// How much of a channel's range goes over to the weights. Those that have a scale for each channel take all of it.
constexpr std::array kAlphas = {0.5, 0.75};
// Of the largest weight: smaller ones count as if they were so large.
constexpr double kSmallestWeight = 1.0 / 1024;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// The ratio of the largest channel to the median one, channels of zeros aside; 0 where a number is not finite.
double unevenness(const std::vector<float>& abs_max) {
  std::vector<double> magnitudes;
  for (const float magnitude : abs_max) {
    if (!std::isfinite(magnitude)) return 0;
    if (magnitude > 0) magnitudes.push_back(magnitude);
  }
  return magnitudes.empty() ? 0 : *std::ranges::max_element(magnitudes) / median(magnitudes);
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
    const Tensor& constant = *graph.constant(graph.node(weight.node).input(weight.input));
    for_each_channel(weight.map, constant.data<float>(), [&](size_t channel, std::span<const float> numbers) {
      for (const float number : numbers) ranges[channel] = std::max(ranges[channel], std::fabs(number));
    });
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

// Every weight of the site has a scale for each of its channels, as depthwise ones do.
bool reads_channels_apart(const Graph& graph, const EqualizationSite& site) {
  return std::ranges::all_of(site.multiplied, [&](const ChannelConstant& weight) {
    const Node& node = graph.node(weight.node);
    return node.is(op::kConv) && node.attributes.get_int("group", 1) == site.channels;
  });
}

bool multiplies_floats(const Target& target) {
  const std::vector<QType> floats(2, QType::kFloat32);
  return std::ranges::any_of(target.rule(op::kMul).combinations, [&floats](const Combination& combination) {
    return combination.matches(floats) && std::ranges::count(combination.outputs, QType::kFloat32) > 0;
  });
}

// What has its channels divided: inputs of depthwise Convs, by a Mul; tensors, where they are computed; inputs of
// MatMul and Gemm, by a Mul. In the order in which they are tried, each kind as a whole, beside what is chosen already:
// the first cost their weights nothing, the second need no operator.
enum class SiteKind : uint8_t { kDepthwise, kFold, kRows };
constexpr std::array kKinds = {SiteKind::kDepthwise, SiteKind::kFold, SiteKind::kRows};

// One way to equalize a site, and what its tensors then hold.
struct Candidate {
  const EqualizationSite* site;
  SiteKind kind;
  double alpha;
  Equalization equalization;
  std::map<ValueId, RangeStatistics> seen;  // by the tensors as they are in the model
};

class Chooser {
 public:
  Chooser(CalibratedModel& model, const Target& target, const Plan& plan, const CalibratedModel::OnSample& progress)
      : model_(model), plan_(plan), progress_(progress) {
    // A fixed share that is cut off, too, may be another one once channels are even.
    take_mse_ranges(plan_);
    for (EqualizationSite& site : EqualizationSites(model.graph()).all()) {
      if (site.inserted && !multiplies_floats(target)) continue;
      if (is_read_as_int8(site)) sites_.push_back(std::move(site));
    }
  }

  size_t num_sites() const { return sites_.size(); }

  // Those of one kind of sites behind those of another, each in graph order.
  std::vector<Equalization> choose() {
    find_candidates();
    if (candidates_.empty()) return {};
    observe();
    trials_.emplace(model_, Trials::Options{});
    std::set<std::pair<SiteKind, double>> runs;
    for (const Candidate& candidate : candidates_) runs.emplace(candidate.kind, candidate.alpha);
    total_ = static_cast<int64_t>(1 + runs.size());
    const double before = noise({}, model_.graph());
    double least = before;
    std::vector<Candidate> chosen;
    for (const SiteKind kind : kKinds) add_best(kind, chosen, least);
    gain_ = 10 * std::log10(before / least);
    std::vector<Equalization> equalizations;
    for (Candidate& candidate : chosen) equalizations.push_back(std::move(candidate.equalization));
    return equalizations;
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

  // Of the sites with uneven channels, one behind the other.
  void find_candidates() {
    std::map<ValueId, ChannelAxis> axes;
    for (const EqualizationSite& site : sites_) {
      for (const EqualizationSite::ScaledTensor& tensor : site.tensors) axes.emplace(tensor.value, tensor.axis);
    }
    const std::map<ValueId, AxisRanges> ranges = observe_axes(model_, axes);
    const Graph& graph = model_.graph();
    for (const EqualizationSite& site : sites_) {
      const std::vector<float> x = activation_ranges(site, ranges);
      if (unevenness(x) < kUneven) continue;
      const std::vector<float> w = weight_ranges(graph, site);
      Equalization equalization{graph.value(site.tensor()).name, {}, {}, site.inserted};
      for (const NodeId id : site.nodes) equalization.nodes.push_back(graph.node(id).name);
      const bool apart = reads_channels_apart(graph, site);
      const SiteKind kind = !site.inserted ? SiteKind::kFold : apart ? SiteKind::kDepthwise : SiteKind::kRows;
      for (const double alpha : kAlphas) {
        if (kind == SiteKind::kDepthwise && alpha != kAlphas.front()) continue;
        equalization.exponents = exact_exponents(graph, site, exponents_of(x, w, apart ? 1 : alpha));
        candidates_.push_back({&site, kind, alpha, equalization, {}});
      }
    }
  }

  // The largest magnitude of each channel where products read it.
  static std::vector<float> activation_ranges(const EqualizationSite& site,
                                              const std::map<ValueId, AxisRanges>& ranges) {
    std::vector<float> largest(static_cast<size_t>(site.channels), 0.0F);
    for (const EqualizationSite::ScaledTensor& tensor : site.tensors) {
      const auto it = ranges.find(tensor.value);
      if (!tensor.is_read || it == ranges.end()) continue;
      const std::vector<float> seen = it->second.abs_max(tensor.axis.repeat);
      for (size_t c = 0; c < largest.size(); ++c) largest[c] = std::max(largest[c], seen[c]);
    }
    return largest;
  }

  // Everything that trials make integers of, on the search samples: as it is, and as candidates make it.
  void observe() {
    const Graph& graph = model_.graph();
    std::vector<ValueRequest> requests = observation_requests(graph, plan_);
    for (const OperandPlan& operand : plan_.operands()) {
      if (is_quantized_activation(graph, operand)) requests.push_back({graph.find_value(operand.value)});
    }
    const CalibrationOptions options{.threads = model_.threads(),
                                     .max_samples = static_cast<int64_t>(model_.samples().size())};
    CalibrationResult seen = calibrate(graph, model_.data("to calibrate with"), requests, options);
    statistics_ = std::move(seen.statistics);
    leave_float(seen.refused);
    std::vector<ScaledTensorRequest> scaled;
    for (Candidate& candidate : candidates_) {
      for (const EqualizationSite::ScaledTensor& tensor : candidate.site->tensors) {
        RangeStatistics& statistics =
            candidate.seen.emplace(tensor.value, RangeStatistics(ObserveLevel::kHistogram)).first->second;
        scaled.push_back({tensor.value, tensor.axis, candidate.equalization.exponents, statistics});
      }
    }
    observe_scaled(model_, scaled);
  }

  // Nodes with a tensor that no range can be made of.
  void leave_float(const std::map<ValueId, std::string>& refused) {
    std::set<std::string> nodes;
    for (const OperandPlan& operand : plan_.operands()) {
      if (refused.contains(model_.graph().find_value(operand.value))) nodes.insert(operand.node);
    }
    if (!nodes.empty()) plan_ = part_of(plan_, [&nodes](const std::string& node) { return !nodes.contains(node); });
  }

  // Adds all sites of a kind, with the alpha that is best for them together, if that lowers the noise.
  void add_best(SiteKind kind, std::vector<Candidate>& chosen, double& least) {
    std::vector<Candidate> best;
    double enough = kWorthwhile * least;
    for (const double alpha : kAlphas) {
      std::vector<Candidate> with = chosen;
      for (const Candidate& candidate : candidates_) {
        if (candidate.kind == kind && candidate.alpha == alpha) with.push_back(candidate);
      }
      if (with.size() == chosen.size()) continue;
      Graph variant = equalized_together(with);
      const double error = noise(with, std::move(variant));
      if (error < enough) enough = least = error, best = std::move(with);
    }
    if (!best.empty()) chosen = std::move(best);
  }

  // The model with these. Two sites may scale one weight, so that exponents that were exact alone are not together:
  // they are taken out of the candidates.
  Graph equalized_together(std::vector<Candidate>& candidates) const {
    Graph graph = model_.graph();
    for (Candidate& candidate : candidates) {
      std::vector<int>& exponents = candidate.equalization.exponents;
      exponents = exact_exponents(graph, *candidate.site, std::move(exponents));
      equalize(*candidate.site, candidate.equalization, graph);
    }
    return graph;
  }

  // Of the outputs of the whole quantized model with these, which `variant` has.
  double noise(const std::vector<Candidate>& candidates, Graph variant) {
    Plan plan = plan_;
    rename_operands(variant, plan);
    const ValueStatistics seen = statistics_of(candidates, variant);
    decide_constants(variant, plan);
    Ranges ranges(variant, plan, seen);
    fit_biases(variant, ranges, plan);
    decide_activations(variant, ranges, {}, plan);
    WeightCache weights;  // of this one alone
    const std::vector<OperandQuantization> operands = decided_operands(variant, plan);
    apply_quantization(variant, operands, weights);
    const double result = output_noise(trials_->errors(std::move(variant)));
    if (progress_) progress_(++done_, total_);
    return result;
  }

  ValueStatistics statistics_of(const std::vector<Candidate>& candidates, const Graph& variant) const {
    ValueStatistics result = statistics_;
    for (const Candidate& candidate : candidates) {
      for (const auto& [tensor, seen] : candidate.seen) {
        const ValueId divided = variant.node(candidate.site->nodes.front()).input(0);  // by a Mul
        result.insert_or_assign(candidate.site->inserted ? divided : tensor, seen);
      }
    }
    return result;
  }

  CalibratedModel& model_;
  Plan plan_;
  const CalibratedModel::OnSample& progress_;
  std::vector<EqualizationSite> sites_;
  std::vector<Candidate> candidates_;
  ValueStatistics statistics_;
  std::optional<Trials> trials_;  // once there is something to try
  double gain_ = 0;
  int64_t done_ = 0, total_ = 0;
};

std::string note_of(const std::vector<Equalization>& chosen, double gain) {
  constexpr size_t kShown = 5;
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(chosen.size(), kShown); ++i) names.push_back("'" + chosen[i].tensor + "'");
  const auto inserted = std::ranges::count(chosen, true, &Equalization::inserted);
  return fmt::format(
      "{} tensor{} equalized, whose channels were uneven ({}{}{}): on the samples of searches the error of the outputs "
      "falls by {:.1f} dB",
      chosen.size(), chosen.size() == 1 ? " is" : "s are", fmt::join(names, ", "),
      chosen.size() > kShown ? fmt::format(" and {} more", chosen.size() - kShown) : "",
      inserted > 0 ? fmt::format("; {} by a Mul of floats in front of the products", inserted) : "", gain);
}

}  // namespace

std::optional<std::string> choose_equalizations(CalibratedModel& model, const Target& target, const Plan& plan,
                                                const CalibratedModel::OnSample& progress) {
  Chooser chooser(model, target, plan, progress);
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
