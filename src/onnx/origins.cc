#include "onnx/origins.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace twofold {

namespace {

void collect(const Graph& graph, const std::string& prefix, OriginsByNode& result) {
  for (NodeId id = 0; id < graph.node_limit(); ++id) {
    if (!graph.has_node(id)) continue;
    const Node& node = graph.node(id);
    if (node.origins != std::vector<std::string>{node.name}) result[prefix + node.name] = node.origins;
    for (const auto& [name, attribute] : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
      if (body != nullptr) collect(**body, origins_prefix(prefix, node.name, name), result);
    }
  }
}

}  // namespace

std::string origins_prefix(const std::string& prefix, const std::string& node, const std::string& attribute) {
  return fmt::format("{}{}/{}/", prefix, node, attribute);
}

std::string write_origins(const Graph& graph) {
  OriginsByNode origins;
  collect(graph, "", origins);
  if (origins.empty()) return {};
  return nlohmann::json(origins).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

OriginsByNode read_origins(const std::string& text) {
  try {
    return nlohmann::json::parse(text).get<OriginsByNode>();
  } catch (const nlohmann::json::exception&) {
    throw_error(ErrorCode::kInvalidModel, "metadata entry '{}' is broken; remove it", kOriginsKey);
  }
}

}  // namespace twofold
