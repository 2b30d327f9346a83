// The dialect's LSTM, GRU and RNN against those of ONNX.
#include "base/message_of.h"
#include "dialect/recurrence_node.h"
#include "engine/executor.h"
#include "loops/fixed_gemm.h"
#include "ops/run_op.h"
#include "passes/graph_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

constexpr int64_t kSize = 7, kHidden = 3;

int64_t rows_of(const std::string& op) { return kHidden * (op == "LSTM" ? 4 : op == "GRU" ? 3 : 1); }

// x [a,b,7] -> op, both ways -> y, with these weights and lengths.
Graph network(const std::string& op, const Shape& x, int64_t layout) {
  GraphBuilder b;
  const int64_t batch = x[layout == 0 ? 1 : 0];
  const auto constant = [&](const char* name, const Tensor& tensor) { return b.graph.add_constant(name, tensor); };
  const ValueId w = constant("w", random_tensor({2, rows_of(op), kSize}, 2)),
                r = constant("r", random_tensor({2, rows_of(op), kHidden}, 3)),
                bias = constant("b", random_tensor({2, 2 * rows_of(op)}, 4));
  std::vector<int32_t> lengths(static_cast<size_t>(batch), 2);
  lengths[0] = 3;
  const ValueId given = constant("lengths", Tensor::from<int32_t>({batch}, lengths));
  b.output(b.node("y", op, {b.input("x", x), w, r, bias, given},
                  {{"hidden_size", kHidden}, {"layout", layout}, {"direction", std::string("bidirectional")}}));
  return b.graph;
}

// W·X for both directions, as the float operator adds it up.
Tensor products(const Graph& graph, const Tensor& x) {
  const Tensor& w = *graph.constant(graph.find_value("w"));
  const int64_t rows = 2 * w.dim(1);
  const Tensor turned = testing::run_op("Transpose", {w.reshaped({rows, kSize})})[0];
  Tensor result(DType::kFloat32, {x.dim(0), x.dim(1), rows});
  fixed_gemm<float>(x.dim(0) * x.dim(1), rows, kSize, x.data<float>().data(), turned.data<float>().data(),
                    result.mutable_data<float>().data());
  return result;
}

// The graph with its operator as one of the dialect, which reads W·X.
Graph as_dialect(Graph graph) {
  const NodeId id = graph.find_node("y");
  Node node = graph.node(id);
  RecurrenceNode{graph.find_value("x")}.write(node);
  graph.remove_node(id);
  graph.add_node(std::move(node));
  return graph;
}

TEST(Recurrence, GivesTheBitsOfTheFloatOperator) {
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    for (const int64_t layout : {0, 1}) {
      SCOPED_TRACE(fmt::format("{} layout {}", op, layout));
      const Tensor x = random_tensor({4, 5, kSize}, 1);
      const Graph graph = network(op, x.shape(), layout);
      const Tensor expected = Executor(graph, {.threads = 1}).run({x})[0];
      for (const int threads : {1, 2}) {
        const Executor steps(as_dialect(graph), {.threads = threads});
        testing::expect_same(steps.run({products(graph, x)})[0], expected);
      }
    }
  }
}

TEST(Recurrence, RefusesProductsOfAnotherWidth) {
  const Executor steps(as_dialect(network("LSTM", {4, 5, kSize}, 0)), {.threads = 1});
  const std::string message = testing::message_of([&] { steps.run({random_tensor({4, 5, kSize}, 1)}); });
  EXPECT_NE(message.find("W·X must have shape [4,5,24], but has [4,5,7]"), std::string::npos) << message;
}

}  // namespace
}  // namespace twofold
