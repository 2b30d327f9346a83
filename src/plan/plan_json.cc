#include "plan/plan_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <span>

#include "base/files.h"
#include "plan/json_reader.h"
#include "plan/settings_json.h"

namespace twofold {

namespace {

constexpr std::string_view kFormat = "twofold-plan";
constexpr std::array<std::string_view, 2> kActivationFormats = {"int8", "uint8"};

Json to_json(const QParams& params) {
  Json json = {{"scale", params.scale}};
  put(json, "zero_point", params.zero_point);
  if (params.axis >= 0) json["axis"] = params.axis;
  return json;
}

Json to_json(const OperandPlan& operand) {
  Json json = {{"node", operand.node},
               {"op_type", operand.op_type},
               {"operand", to_string(operand.operand)},
               {"value", operand.value},
               {"asked", to_string(operand.asked)},
               {"granted", to_string(operand.granted)},
               {"decided_by", to_string(operand.decided_by)}};
  if (!operand.reason.empty()) json["reason"] = operand.reason;
  if (operand.is_weight) json["is_weight"] = true;
  if (operand.moves_data) json["moves_data"] = true;
  if (operand.activation != ActivationConfig{}) json["activation"] = settings_json(operand.activation);
  if (operand.weight != WeightConfig{}) json["weight"] = settings_json(operand.weight);
  put(json, "bias_shift", operand.bias_shift);
  if (operand.params) {
    json["params"] = to_json(*operand.params);
    json["threshold"] = operand.threshold;
    json["method"] = operand.method;
  }
  return json;
}

Json to_json(const Equalization& equalization) {
  Json json = {{"tensor", equalization.tensor}, {"nodes", equalization.nodes}, {"exponents", equalization.exponents}};
  if (equalization.inserted) json["inserted"] = true;
  return json;
}

constexpr int kMaxInt = std::numeric_limits<int>::max();

std::string read_text(const JsonReader& reader) { return reader.text(); }

Metric read_metric(const JsonReader& reader) {
  return reader.word(
      {Metric::kCosineSimilarity, Metric::kMse, Metric::kMae, Metric::kMre, Metric::kSqnr, Metric::kChebyshev});
}

QType read_qtype(const JsonReader& reader) {
  return reader.word({QType::kInt8, QType::kInt16, QType::kEc, QType::kFloat16, QType::kFloat32});
}

ActivationConfig read_activation(const JsonReader& reader) {
  ActivationConfig activation;
  activation.methods = reader.list("calibration_type", [](const JsonReader& item) {
    return item.word({RangeMethod::kMax, RangeMethod::kKl, RangeMethod::kPercentile, RangeMethod::kMse});
  });
  const auto bins = [](const JsonReader& item) { return item.integer(1, 1 << 20); };
  const auto boolean = [](const JsonReader& item) { return item.boolean(); };
  activation.num_bin = reader.list("num_bin", bins);
  activation.max_num_bin = reader.list("max_num_bin", bins);
  activation.max_percentile =
      reader.list("max_percentile", [](const JsonReader& item) { return item.number(0.5, 1.0); });
  activation.per_channel = reader.list("per_channel", boolean);
  activation.asymmetric = reader.list("asymmetric", boolean);
  return activation;
}

WeightConfig read_weight(const JsonReader& reader) {
  WeightConfig weight;
  weight.rounding = reader.list("rounding", [](const JsonReader& item) {
    return item.word({Rounding::kNearest, Rounding::kPreserveSum});
  });
  if (reader.has("bias_correction")) {
    const JsonReader correction = reader.at("bias_correction");
    weight.bias_correction = {correction.at("num_sample").integer(1, kMaxInt), read_metric(correction.at("metric"))};
  }
  if (reader.has("reduce_range")) weight.reduce_range = reader.at("reduce_range").boolean();
  return weight;
}

QParams read_params(const JsonReader& reader, QType granted) {
  if (!is_integer(granted)) reader.fail(fmt::format("a {} operand has no scale", to_string(granted)));
  QParams params;
  params.qtype = granted;
  if (reader.has("axis")) params.axis = reader.at("axis").integer(0, 63);
  const double smallest = std::numeric_limits<float>::min(), largest = std::numeric_limits<float>::max();
  params.scale =
      reader.list("scale", [&](const JsonReader& item) { return static_cast<float>(item.number(smallest, largest)); });
  params.zero_point =
      reader.list("zero_point", [&](const JsonReader& item) { return item.integer(qmin(granted), qmax(granted)); });
  if (params.scale.empty() || (params.axis < 0 && params.scale.size() != 1)) {
    reader.fail("needs one scale, or an axis and a scale for each of its indices");
  }
  if (!params.zero_point.empty() && params.zero_point.size() != params.scale.size()) {
    reader.fail("has another number of zero points than of scales");
  }
  return params;
}

OperandRef read_operand_ref(const JsonReader& reader) {
  const std::optional<OperandRef> operand = parse_operand(reader.text());
  if (!operand) reader.fail("must be inputN or outputN");
  return *operand;
}

OperandPlan read_operand(const JsonReader& reader) {
  OperandPlan operand;
  operand.node = reader.at("node").text();
  operand.op_type = reader.at("op_type").text();
  operand.operand = read_operand_ref(reader.at("operand"));
  operand.value = reader.at("value").text();
  operand.asked = read_qtype(reader.at("asked"));
  operand.granted = read_qtype(reader.at("granted"));
  operand.decided_by =
      reader.at("decided_by")
          .word({DecidedBy::kDefault, DecidedBy::kOp, DecidedBy::kSubgraph, DecidedBy::kNode, DecidedBy::kSearch});
  if (reader.has("reason")) operand.reason = reader.at("reason").text();
  if (reader.has("is_weight")) operand.is_weight = reader.at("is_weight").boolean();
  if (reader.has("moves_data")) operand.moves_data = reader.at("moves_data").boolean();
  if (reader.has("activation")) operand.activation = read_activation(reader.at("activation"));
  if (reader.has("weight")) operand.weight = read_weight(reader.at("weight"));
  const double largest = std::numeric_limits<float>::max();
  operand.bias_shift = reader.list(
      "bias_shift", [&](const JsonReader& item) { return static_cast<float>(item.number(-largest, largest)); });
  if (reader.has("params")) {
    operand.params = read_params(reader.at("params"), operand.granted);
    operand.threshold =
        static_cast<float>(reader.at("threshold").number(0, static_cast<double>(std::numeric_limits<float>::max())));
    operand.method = reader.at("method").text();
  }
  return operand;
}

std::vector<Equalization> read_equalizations(const JsonReader& root) {
  std::set<std::string> tensors;
  return root.list("equalizations", [&tensors](const JsonReader& item) {
    Equalization equalization{
        item.at("tensor").text(), item.at("nodes").list(read_text),
        item.at("exponents").list([](const JsonReader& e) { return e.integer(-kMaxExponent, kMaxExponent); })};
    equalization.inserted = item.has("inserted") && item.at("inserted").boolean();
    if (!tensors.insert(equalization.tensor).second) {
      item.fail(fmt::format("tensor '{}' is equalized twice", equalization.tensor));
    }
    return equalization;
  });
}

// Texts that came from files may hold bytes that are not UTF-8; those are replaced.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <typename T, typename ToJson>
std::string dump_lines(const std::vector<T>& items, const ToJson& to) {
  std::string lines;
  for (const T& item : items) lines += (lines.empty() ? "\n    " : ",\n    ") + dump(to(item));
  return "[" + lines + (lines.empty() ? "]" : "\n  ]");
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  std::string text = "{\n";
  const auto entry = [&text](const char* key, const std::string& value, const char* end = ",\n") {
    text += fmt::format("  \"{}\": {}{}", key, value, end);
  };
  const auto as_text = [](const std::string& note) { return Json(note); };
  entry("format", dump(kFormat));
  entry("version", fmt::format("{}", kPlanVersion));
  entry("model_hash", dump(plan.model_hash));
  if (!plan.content_hash.empty()) entry("content_hash", dump(plan.content_hash));
  entry("target", dump(plan.target));
  entry("compiler_version", dump(plan.compiler_version));
  entry("policy", dump(to_string(plan.policy)));
  if (plan.shared_scales) entry("shared_scales", "true");
  entry("activation_format", dump(kActivationFormats[plan.uint8_activations ? 1 : 0]));
  if (!plan.equalizations.empty()) {
    entry("equalizations", dump_lines(plan.equalizations, [](const Equalization& item) { return to_json(item); }));
  }
  entry("notes", dump_lines(plan.notes, as_text));
  entry("unmet", dump_lines(plan.unmet, as_text));
  entry("operands", dump_lines(plan.operands(), [](const OperandPlan& operand) { return to_json(operand); }));
  const auto node_to_json = [](const NodeFingerprint& node) {
    Json json = {{"name", node.name}, {"op_type", node.op_type}, {"hash", node.hash}};
    if (!node.content.empty()) json["content"] = node.content;
    return json;
  };
  entry("nodes", dump_lines(plan.nodes, node_to_json), "\n}\n");
  return text;
}

Plan plan_from_json(std::string_view text, std::string_view label) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw_error(ErrorCode::kInvalidArgument, "{}: not a plan: {}", label, error.what());
  }
  const std::string about = fmt::format("{}: not a valid plan", label);
  const JsonReader root(json, about);
  if (root.at("format").text() != kFormat) root.fail(fmt::format("'format' is not '{}'", kFormat));
  const int version = root.at("version").integer(1, kMaxInt);
  if (version > kPlanVersion) {
    root.fail(
        fmt::format("it has version {}, and this Twofold reads up to {}; use a newer one", version, kPlanVersion));
  }
  Plan plan;
  plan.model_hash = root.at("model_hash").text();
  if (root.has("content_hash")) plan.content_hash = root.at("content_hash").text();
  plan.target = root.at("target").text();
  plan.compiler_version = root.at("compiler_version").text();
  plan.policy = root.at("policy").word({FallbackPolicy::kV1, FallbackPolicy::kV2});
  if (root.has("shared_scales")) plan.shared_scales = root.at("shared_scales").boolean();
  if (root.has("activation_format"))
    plan.uint8_activations = root.at("activation_format").choice(kActivationFormats) == 1;
  plan.equalizations = read_equalizations(root);
  plan.notes = root.list("notes", read_text);
  plan.unmet = root.list("unmet", read_text);
  plan.nodes = root.list("nodes", [](const JsonReader& node) {
    return NodeFingerprint{node.at("name").text(), node.at("op_type").text(), node.at("hash").text(),
                           node.has("content") ? node.at("content").text() : ""};
  });
  for (OperandPlan& operand : root.at("operands").list(read_operand)) plan.add(std::move(operand));
  return plan;
}

void save_plan(const Plan& plan, const std::filesystem::path& path) { write_file(path, plan_to_json(plan)); }

Plan load_plan(const std::filesystem::path& path) { return plan_from_json(read_text_file(path), path.string()); }

}  // namespace twofold
