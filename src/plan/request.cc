#include "plan/request.h"

#include <algorithm>

#include "base/error.h"
#include "plan/operands.h"
#include "traits/gemm_type.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// True for the input that the second 16-bit term of int16-ec goes to: the weight; input1 where no input is constant.
bool is_ec_input(const Graph& graph, const Node& node, int input) {
  if (!is_gemm_type(node.op_type)) return false;
  if (is_weight(graph, node, input)) return true;
  return input == 1 && !is_weight(graph, node, 0);
}

// Takes the first word that has an effect; words without one leave their reason.
class Asking {
 public:
  // True if the word decides.
  bool ask(QType qtype, const Level& level, const std::string& why_not) {
    if (!asked_) asked_ = qtype;
    if (why_not.empty()) {
      decide(qtype, level.decided_by);
      return true;
    }
    if (!reason_.empty()) reason_ += "; ";
    reason_ += why_not;
    return false;
  }
  bool asked() const { return asked_.has_value(); }
  void decide(QType qtype, DecidedBy decided_by) { request_ = {asked_.value_or(qtype), qtype, decided_by, reason_}; }
  const std::optional<Request>& request() const { return request_; }
  // Nothing decided: whatever the caller's default is, this was asked in vain.
  std::optional<Request> in_vain() const {
    if (!asked_) return std::nullopt;
    return Request{*asked_, *asked_, DecidedBy::kDefault, reason_};
  }

 private:
  std::optional<QType> asked_;
  std::optional<Request> request_;
  std::string reason_;
};

template <typename T, typename Get>
std::vector<T> first_set(std::span<const Level> levels, const std::vector<T>& model, std::vector<T> fallback,
                         const Get& get) {
  for (const Level& level : levels) {
    if (const std::vector<T>& setting = get(*level.config); !setting.empty()) return setting;
  }
  return model.empty() ? fallback : model;
}

}  // namespace

QType qtype_of_input(NodeQType qtype, const Graph& graph, const Node& node, int input) {
  switch (qtype) {
    case NodeQType::kInt8: return QType::kInt8;
    case NodeQType::kInt16: return is_weight(graph, node, input) ? QType::kInt8 : QType::kInt16;
    case NodeQType::kDualInt16: return QType::kInt16;
    case NodeQType::kInt16Ec: return is_ec_input(graph, node, input) ? QType::kEc : QType::kInt16;
    case NodeQType::kFloat16: return QType::kFloat16;
    case NodeQType::kFloat32: return QType::kFloat32;
  }
  return QType::kFloat32;
}

std::optional<Request> requested_input(const Graph& graph, const Node& node, int input, std::span<const Level> levels) {
  Asking asking;
  const OperandRef operand = OperandRef::input(input);
  for (const Level& level : levels) {
    if (const auto it = level.config->operands.find(operand); it != level.config->operands.end()) {
      const bool in_vain = it->second == QType::kEc && !takes_ec(node.op_type, input);
      if (asking.ask(it->second, level,
                     in_vain ? fmt::format("ec has no effect on {} of {}", to_string(operand), node.op_type) : "")) {
        return asking.request();
      }
    }
    if (level.config->qtype) {
      asking.ask(qtype_of_input(*level.config->qtype, graph, node, input), level, "");
      return asking.request();
    }
  }
  return asking.in_vain();
}

std::optional<Request> requested_output(const Node& node, int output, std::span<const Level> levels) {
  Asking asking;
  for (const Level& level : levels) {
    const auto it = level.config->operands.find(OperandRef::output(output));
    const std::optional<QType> word = it == level.config->operands.end() ? level.config->outputs : it->second;
    if (!word) continue;
    const bool in_vain = *word == QType::kEc;
    if (asking.ask(*word, level, in_vain ? fmt::format("ec has no effect on outputs of {}", node.op_type) : "")) {
      return asking.request();
    }
  }
  return asking.in_vain();
}

ActivationConfig activation_settings(const Node& node, QType qtype, std::span<const Level> levels,
                                     const ModelConfig& model, bool asymmetric) {
  const auto pick = [&](auto member, auto fallback) {
    return first_set(
        levels, model.activation.*member,
        std::move(fallback), [member](const LevelConfig& level) -> const auto& { return level.activation.*member; });
  };
  ActivationConfig result;
  result.methods =
      pick(&ActivationConfig::methods, is_16bit(qtype) ? std::vector{RangeMethod::kMax} : std::vector<RangeMethod>{});
  result.num_bin = pick(&ActivationConfig::num_bin, std::vector{1024});
  result.max_num_bin = pick(&ActivationConfig::max_num_bin, std::vector{16384});
  result.max_percentile = pick(&ActivationConfig::max_percentile, std::vector{1.0});
  result.per_channel = pick(&ActivationConfig::per_channel, std::vector{false});
  result.asymmetric = pick(&ActivationConfig::asymmetric, std::vector{asymmetric && qtype == QType::kInt8});
  const int bins = *std::max_element(result.num_bin.begin(), result.num_bin.end());
  const int limit = *std::min_element(result.max_num_bin.begin(), result.max_num_bin.end());
  if (bins > limit) {
    throw_error(ErrorCode::kInvalidArgument, "node '{}' ({}): num_bin {} is more than max_num_bin {}", node.name,
                node.op_type, bins, limit);
  }
  return result;
}

WeightConfig weight_settings(std::span<const Level> levels, const ModelConfig& model) {
  WeightConfig result;
  result.rounding = first_set(
      levels, model.weight.rounding, std::vector<Rounding>{},
      [](const LevelConfig& level) -> const auto& { return level.weight.rounding; });
  const auto pick = [&](auto member) {
    const auto level = std::ranges::find_if(
        levels, [member](const Level& candidate) { return (candidate.config->weight.*member).has_value(); });
    return level == levels.end() ? model.weight.*member : level->config->weight.*member;
  };
  result.bias_correction = pick(&WeightConfig::bias_correction);
  result.reduce_range = pick(&WeightConfig::reduce_range);
  return result;
}

}  // namespace twofold
