#include "passes/pipeline.h"

#include "passes/canonicalize_clip.h"
#include "passes/complete_zero_points.h"
#include "passes/fold_batch_norm.h"
#include "passes/fold_bias.h"
#include "passes/fold_constants.h"
#include "passes/fold_input_affine.h"
#include "passes/fold_pad.h"
#include "passes/fold_scale.h"
#include "passes/fold_shape.h"
#include "passes/fuse_gelu.h"
#include "passes/fuse_hard_swish.h"
#include "passes/fuse_layer_norm.h"
#include "passes/fuse_matmul_bias.h"
#include "passes/fuse_mish.h"
#include "passes/fuse_sigmoid.h"
#include "passes/fuse_softmax.h"
#include "passes/inline_if.h"
#include "passes/remove_dead_nodes.h"
#include "passes/remove_identity.h"
#include "passes/unflatten_softmax.h"

namespace twofold {

namespace {

const std::vector<Pass>& passes() {
  static const std::vector<Pass> list = {
      // Less to look at first.
      {"remove_dead_nodes", remove_dead_nodes},
      {"fold_constants", fold_constants},
      {"fold_shape", fold_shape},
      {"inline_if", inline_if},
      {"remove_identity", remove_identity},
      // Where constants are what they will be.
      {"complete_zero_points", complete_zero_points},
      // Activations before folding, which would take the "+ 3" of a HardSwish for a bias.
      {"canonicalize_clip", canonicalize_clip},
      {"unflatten_softmax", unflatten_softmax},
      {"fuse_hard_swish", fuse_hard_swish},
      {"fuse_gelu", fuse_gelu},
      {"fuse_mish", fuse_mish},
      {"fuse_sigmoid", fuse_sigmoid},
      {"fuse_softmax", fuse_softmax},
      {"fuse_layer_norm", fuse_layer_norm},
      // Padding before additions, which may not move across it.
      {"fold_pad", fold_pad},
      {"fuse_matmul_bias", fuse_matmul_bias},
      {"fold_batch_norm", fold_batch_norm},
      {"fold_scale", fold_scale},
      {"fold_bias", fold_bias},
      {"fold_input_affine", fold_input_affine},
  };
  return list;
}

// Enough for any chain of operators that people write; a round without a rewrite ends it earlier.
constexpr int kMaxRounds = 16;

void run_until_unchanged(Graph& graph, std::vector<PassReport>& reports);

// Bodies are shared and constant: each is copied, simplified and put back.
void run_on_bodies(Graph& graph, std::vector<PassReport>& reports) {
  for (NodeId id : graph.topological_order()) {
    std::vector<std::pair<std::string, Attribute>> simplified;
    for (const auto& [name, attribute] : graph.node(id).attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
      if (body == nullptr) continue;
      auto copy = std::make_shared<Graph>(**body);
      run_until_unchanged(*copy, reports);
      simplified.emplace_back(name, std::shared_ptr<const Graph>(std::move(copy)));
    }
    for (auto& [name, body] : simplified) graph.attributes(id).set(name, std::move(body));
  }
}

void run_until_unchanged(Graph& graph, std::vector<PassReport>& reports) {
  for (int round = 0; round < kMaxRounds; ++round) {
    if (run_each_once(passes(), graph, reports) == 0) break;
  }
  run_on_bodies(graph, reports);
  graph.compact();
}

}  // namespace

std::vector<PassReport> run_passes(Graph& graph) {
  std::vector<PassReport> reports = new_reports(passes());
  run_until_unchanged(graph, reports);
  return reports;
}

}  // namespace twofold
