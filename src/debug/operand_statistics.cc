#include "debug/operand_statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/cancellation.h"
#include "debug/channel_of.h"
#include "debug/clipped.h"
#include "debug/moment_sums.h"
#include "debug/observe_tensors.h"
#include "numeric/quantize_tensor.h"
#include "quantize/decide.h"

namespace twofold {

namespace {

class Observer {
 public:
  using OnProgress = std::function<void(int64_t done, int64_t total)>;

  Observer(CalibratedModel& model, const Plan& plan, const std::vector<size_t>& operands, size_t bins,
           const OnProgress& progress)
      : model_(model), plan_(plan), bins_(bins), progress_(progress), sums_(operands.size()) {
    for (size_t i = 0; i < operands.size(); ++i) {
      result_.emplace_back().operand = operands[i];
      of_value_.emplace(model.graph().find_value(plan.operands()[operands[i]].value), i);
    }
    channel_errors_.resize(operands.size());
    for (const auto& [value, i] : of_value_) {
      const bool constant = model.graph().constant(value) != nullptr;
      total_ += 2 * (constant ? 1 : static_cast<int64_t>(model.samples().size()));
    }
  }

  std::vector<OperandStatistics> run() {
    visit([this](size_t i, const Tensor& x, const Tensor& q) { sum(i, x, q); });
    for (size_t i = 0; i < result_.size(); ++i) finish_sums(i);
    visit([this](size_t i, const Tensor& x, const Tensor& q) { count(i, x, q); });
    return std::move(result_);
  }

 private:
  struct Both {
    MomentSums before, after;
    uint64_t clipped = 0;
  };

  template <typename Visit>
  void visit(const Visit& visit) {
    std::set<ValueId> values;
    for (const auto& [value, i] : of_value_) values.insert(value);
    observe_tensors(model_, values, [&](ValueId value, const Tensor& x) {
      const auto [begin, end] = of_value_.equal_range(value);
      for (auto it = begin; it != end; ++it) {
        visit(it->second, x, quantized(plan_.operands()[result_[it->second].operand], x));
        if (progress_) progress_(++done_, total_);
      }
    });
  }

  // As the quantized model has it: weights may be rounded so that their sums are kept.
  Tensor quantized(const OperandPlan& operand, const Tensor& x) {
    const OperandQuantization decided = decided_operand(model_.graph(), operand);
    if (decided.rounding == Rounding::kNearest || operand.granted == QType::kEc)
      return fake_quantize(x, decided.params);
    return dequantize(model_.weights().quantized(x, decided.params, decided.rounding), decided.params);
  }

  int axis_of(size_t i, int rank) const {
    const OperandPlan& operand = plan_.operands()[result_[i].operand];
    if (!operand.operand.is_input()) return rank > 1 ? 1 : -1;
    const Graph& graph = model_.graph();
    return channel_axis(graph, graph.node(graph.find_node(operand.node)), operand.operand.index, rank);
  }

  void sum(size_t i, const Tensor& x, const Tensor& q) {
    OperandStatistics& statistics = result_[i];
    if (statistics.count == 0) {
      statistics.shape = x.shape();
      statistics.channel_axis = axis_of(i, x.rank());
    }
    const std::span<const float> before = x.data<float>(), after = q.data<float>();
    statistics.count += before.size();
    sums_[i].before.add(before);
    sums_[i].after.add(after);
    statistics.error.add(before, after);
    const ChannelOf channel(x.shape(), statistics.channel_axis);
    channel_errors_[i].resize(std::max(channel_errors_[i].size(), channel.count()), 0);
    sums_[i].clipped += count_clipped(x, *plan_.operands()[statistics.operand].params);
    for (size_t k = 0; k < before.size(); ++k) {
      const double error = static_cast<double>(before[k]) - after[k];
      channel_errors_[i][channel(k)] += error * error;
    }
  }

  // Where the integers have one scale, as many of them fall into every bin: or else bins and steps would make a comb.
  Bins bins_of(double low, double high, const QParams& params) const {
    Bins bins;
    bins.low = low;
    bins.step = (high - low) / static_cast<double>(bins_);
    // One number only; or none, all being NaN; or infinity among them.
    if (!std::isfinite(bins.low)) bins.low = 0;
    if (!std::isfinite(bins.step) || bins.step <= 0) bins.step = 1;
    size_t count = bins_;
    if (params.scale.size() == 1 && params.qtype != QType::kEc && std::isfinite(high - low)) {
      const double scale = params.scale[0];
      bins.step = std::ceil((high - low + scale) / (scale * static_cast<double>(bins_))) * scale;
      bins.low = std::floor(low / scale + 0.5) * scale - scale / 2;
      count = std::min(static_cast<size_t>((high - bins.low) / bins.step) + 1, bins_);
    }
    bins.before.assign(count, 0);
    bins.after.assign(count, 0);
    return bins;
  }

  void finish_sums(size_t i) {
    OperandStatistics& statistics = result_[i];
    statistics.before = sums_[i].before.moments();
    statistics.after = sums_[i].after.moments();
    if (statistics.count > 0) {
      statistics.clipped = static_cast<double>(sums_[i].clipped) / static_cast<double>(statistics.count);
    }
    statistics.worst_channels = worst(channel_errors_[i]);
    statistics.bins =
        bins_of(std::min(statistics.before.min, statistics.after.min),
                std::max(statistics.before.max, statistics.after.max), *plan_.operands()[statistics.operand].params);
  }

  static std::vector<std::pair<int, double>> worst(const std::vector<double>& errors) {
    constexpr size_t kShown = 10;
    double whole = 0;
    std::vector<std::pair<int, double>> shares;
    for (size_t c = 0; c < errors.size(); ++c) {
      whole += errors[c];
      shares.emplace_back(static_cast<int>(c), errors[c]);
    }
    if (errors.size() < 2 || whole == 0) return {};
    std::ranges::stable_sort(shares, std::greater(), &std::pair<int, double>::second);
    if (shares.size() > kShown) shares.resize(kShown);
    for (auto& [channel, share] : shares) share /= whole;
    return shares;
  }

  void count(size_t i, const Tensor& x, const Tensor& q) {
    Bins& bins = result_[i].bins;
    const auto add = [&bins](std::span<const float> numbers, std::vector<uint64_t>& counts) {
      for (const float v : numbers) {
        if (std::isnan(v)) continue;
        const double at = (v - bins.low) / bins.step;
        ++counts[static_cast<size_t>(std::clamp(at, 0.0, static_cast<double>(counts.size() - 1)))];
      }
    };
    add(x.data<float>(), bins.before);
    add(q.data<float>(), bins.after);
  }

  CalibratedModel& model_;
  const Plan& plan_;
  const size_t bins_;
  const OnProgress& progress_;
  int64_t done_ = 0, total_ = 0;  // tensors, over all samples and both passes
  std::vector<OperandStatistics> result_;
  std::vector<Both> sums_;
  std::vector<std::vector<double>> channel_errors_;  // energy
  std::multimap<ValueId, size_t> of_value_;
};

Box box_of(std::vector<float>& numbers) {
  std::erase_if(numbers, [](float v) { return std::isnan(v); });
  if (numbers.empty()) return {};
  Box box;
  auto begin = numbers.begin();
  for (size_t k = 0; k < box.size(); ++k) {
    const auto at = numbers.begin() + static_cast<ptrdiff_t>((numbers.size() - 1) * k / (box.size() - 1));
    std::nth_element(begin, at, numbers.end());
    box[k] = *at;
    begin = at;
  }
  return box;
}

}  // namespace

std::vector<OperandStatistics> operand_statistics(CalibratedModel& model, const Plan& plan,
                                                  const std::vector<size_t>& operands, size_t bins,
                                                  const std::function<void(int64_t done, int64_t total)>& progress) {
  return Observer(model, plan, operands, bins, progress).run();
}

std::map<ValueId, std::vector<Box>> channel_boxes(CalibratedModel& model, const std::map<ValueId, int>& axes) {
  std::map<ValueId, std::vector<std::vector<float>>> numbers;
  std::set<ValueId> values;
  for (const auto& [value, axis] : axes) values.insert(value);
  observe_tensors(model, values, [&](ValueId value, const Tensor& tensor) {
    const ChannelOf channel(tensor.shape(), axes.at(value));
    std::vector<std::vector<float>>& channels = numbers[value];
    channels.resize(std::max(channels.size(), channel.count()));
    const std::span<const float> x = tensor.data<float>();
    for (size_t i = 0; i < x.size(); ++i) channels[channel(i)].push_back(x[i]);
  });
  std::map<ValueId, std::vector<Box>> boxes;
  for (auto& [value, channels] : numbers) {
    for (std::vector<float>& channel : channels) {
      throw_if_cancelled();
      boxes[value].push_back(box_of(channel));
    }
  }
  return boxes;
}

}  // namespace twofold
