#include "quantize/body_work.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "dialect/registry.h"
#include "engine/executor.h"
#include "loops/layout.h"
#include "quantize/node_work.h"
#include "traits/gemm_type.h"
#include "traits/recurrent.h"

namespace twofold {

namespace {

bool has_product(const Graph& graph);

bool multiplies(const Node& node) { return is_gemm_type(node) || is_recurrent(node); }

// The node has a body in which something is multiplied.
bool has_work_inside(const Node& node) {
  for (const auto& [name, attribute] : node.attributes) {
    const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
    if (body != nullptr && has_product(**body)) return true;
  }
  return false;
}

bool has_product(const Graph& graph) {
  for (NodeId id = 0; id < graph.node_limit(); ++id) {
    if (graph.has_node(id) && (multiplies(graph.node(id)) || has_work_inside(graph.node(id)))) return true;
  }
  return false;
}

// Runs a graph and counts its multiplications, those of bodies by the node that they belong to.
class CountedGraph {
 public:
  CountedGraph(const Graph& graph, int threads)
      : graph_(graph), threads_(threads), executor_(graph, {.threads = threads, .watched = watched_values(graph)}) {}

  std::vector<Tensor> run(const std::vector<Tensor>& inputs) {
    std::map<ValueId, Tensor> seen;
    std::vector<Tensor> outputs =
        executor_.run(inputs, [&seen](ValueId id, const Tensor& tensor) { seen.insert_or_assign(id, tensor); });
    std::map<ValueId, Shape> shapes;
    for (const auto& [id, tensor] : seen) shapes[id] = tensor.shape();
    for (NodeId id = 0; id < graph_.node_limit(); ++id) {
      if (!graph_.has_node(id)) continue;
      const Node& node = graph_.node(id);
      if (multiplies(node)) own_ += multiplications(node, shapes) + multiplications_of_state(node, shapes);
      if (has_work_inside(node)) inside_[id] += count_inside(node, seen);
    }
    return outputs;
  }

  double own() const { return own_; }
  const std::map<NodeId, double>& inside() const { return inside_; }
  double total() const {
    double sum = own_;
    for (const auto& [id, count] : inside_) sum += count;
    return sum;
  }

 private:
  static std::vector<ValueId> watched_values(const Graph& graph) {
    std::vector<ValueId> values;
    for (NodeId id = 0; id < graph.node_limit(); ++id) {
      if (!graph.has_node(id)) continue;
      const Node& node = graph.node(id);
      if (!multiplies(node) && !has_work_inside(node)) continue;
      for (const auto* list : {&node.inputs, &node.outputs}) {
        for (const ValueId value : *list) {
          if (value != kNone) values.push_back(value);
        }
      }
    }
    return values;
  }

  // Runs the node's own kernel, whose loops and branches go through counted bodies.
  double count_inside(const Node& node, const std::map<ValueId, Tensor>& seen) const {
    std::vector<std::shared_ptr<CountedGraph>> bodies;
    const auto make_runner = [this, &bodies](const Graph& body) -> GraphRunner {
      bodies.push_back(std::make_shared<CountedGraph>(body, threads_));
      return [counted = bodies.back()](const std::vector<Tensor>& inputs) { return counted->run(inputs); };
    };
    std::vector<Tensor> plain(node.inputs.size()), outputs(node.outputs.size());
    std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNone) continue;
      plain[i] = to_layout(seen.at(node.inputs[i]), Layout::kPlain);
      inputs[i] = &plain[i];
    }
    const auto kernel = make_kernel({node, std::vector<const Tensor*>(inputs.size(), nullptr), make_runner});
    OpCall call(node, inputs, outputs, nullptr);
    kernel->run(call);
    double sum = 0;
    for (const auto& body : bodies) sum += body->total();
    return sum;
  }

  const Graph& graph_;
  const int threads_;
  const Executor executor_;
  double own_ = 0;
  std::map<NodeId, double> inside_;
};

}  // namespace

std::optional<std::string> body_work_note(CalibratedModel& model) {
  const Graph& graph = model.graph();
  bool any = false;
  for (const NodeId id : graph.topological_order()) any = any || has_work_inside(graph.node(id));
  if (!any) return std::nullopt;
  CountedGraph counted(graph, model.threads());
  counted.run(model.samples().inputs(0));
  const double inside = counted.total() - counted.own();
  if (inside == 0) return std::nullopt;
  std::vector<std::string> nodes;
  for (const auto& [id, count] : counted.inside()) {
    if (count > 0) nodes.push_back(fmt::format("{} '{}'", graph.node(id).op_type, graph.node(id).name));
  }
  const double share = 100 * inside / counted.total();
  return fmt::format("{} % of the multiplications are inside of {}: what stands in their bodies stays float32",
                     share < 1 ? "less than 1" : fmt::format("{:.0f}", share), fmt::join(nodes, ", "));
}

}  // namespace twofold
