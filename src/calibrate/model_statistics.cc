#include "calibrate/model_statistics.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "infer/infer_types.h"

namespace twofold {

namespace {

// What a file begins with. The byte that is no text keeps editors away.
constexpr std::string_view kMagic = "twofold-statistics\x80";

// Every tensor that may hold float32 numbers.
std::vector<ValueRequest> requests_of(const Graph& graph) {
  const std::vector<InferredType> types = infer_types(graph);
  std::vector<ValueRequest> requests;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.producer(id) == kNone && !graph.is_input(id)) continue;
    const InferredType& type = types[static_cast<size_t>(id)];
    if (type.dtype != DType::kFloat32 && type.dtype != DType::kUndefined) continue;
    const bool has_channels = type.rank() >= 2 && (*type.shape)[1] != kUnknownDim;
    requests.push_back({id, ObserveLevel::kHistogram, has_channels});
  }
  return requests;
}

}  // namespace

ModelStatistics observe_model(const Graph& graph, const Dataset& data, std::string model_hash,
                              const CalibrationOptions& options) {
  CalibrationOptions lenient = options;
  lenient.any_outputs = true;
  CalibrationResult seen = calibrate(graph, data, requests_of(graph), lenient);
  ModelStatistics result{std::move(model_hash), seen.num_samples, {}, {}};
  for (auto& [value, statistics] : seen.statistics) {
    result.tensors.emplace(graph.value(value).name, std::move(statistics));
  }
  for (auto& [value, why] : seen.refused) result.refused.emplace(graph.value(value).name, std::move(why));
  return result;
}

void ModelStatistics::merge(const ModelStatistics& other) {
  if (model_hash != other.model_hash) {
    throw_error(ErrorCode::kInvalidArgument, "statistics of two models cannot be merged ({} and {})", model_hash,
                other.model_hash);
  }
  num_samples += other.num_samples;
  // Of two reasons the one that comes first in the alphabet, so that the order of merging does not matter.
  for (const auto& [name, why] : other.refused) {
    std::string& reason = refused.try_emplace(name, why).first->second;
    reason = std::min(reason, why);
  }
  for (const auto& [name, statistics] : other.tensors) {
    const auto [entry, inserted] = tensors.try_emplace(name, statistics);
    if (!inserted) entry->second.merge(statistics);
  }
  std::erase_if(tensors, [this](const auto& entry) { return refused.contains(entry.first); });
}

std::vector<std::byte> to_bytes(const ModelStatistics& statistics) {
  ByteWriter out;
  out.text(kMagic);
  out.number(kStatisticsVersion);
  out.text(statistics.model_hash);
  out.number(static_cast<uint64_t>(statistics.num_samples));
  out.number(statistics.tensors.size());
  for (const auto& [name, tensor] : statistics.tensors) {
    out.text(name);
    tensor.write(out);
  }
  out.number(statistics.refused.size());
  for (const auto& [name, why] : statistics.refused) {
    out.text(name);
    out.text(why);
  }
  return out.take();
}

ModelStatistics statistics_from_bytes(std::span<const std::byte> bytes, std::string_view label) {
  ByteReader in(bytes, std::string(label));
  const bool long_enough = bytes.size() > kMagic.size();
  if (!long_enough || in.text() != kMagic) {
    throw_error(ErrorCode::kInvalidArgument, "{}: not a file of statistics", label);
  }
  const uint64_t version = in.number(std::numeric_limits<uint32_t>::max());
  if (version > kStatisticsVersion) {
    throw_error(ErrorCode::kInvalidArgument,
                "{}: these statistics have version {}, and this Twofold reads up to {}; use a newer one", label,
                version, kStatisticsVersion);
  }
  ModelStatistics result;
  result.model_hash = in.text();
  result.num_samples = static_cast<int64_t>(in.number(std::numeric_limits<int64_t>::max()));
  for (size_t left = in.count(2); left > 0; --left) {
    std::string name = in.text();
    if (!result.tensors.emplace(std::move(name), RangeStatistics::read(in)).second)
      in.fail("a tensor stands there twice");
  }
  for (size_t left = in.count(2); left > 0; --left) {
    std::string name = in.text();
    result.refused.insert_or_assign(std::move(name), in.text());
  }
  in.expect_end();
  return result;
}

}  // namespace twofold
