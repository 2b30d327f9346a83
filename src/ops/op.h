// What an operator implementation is: a Kernel made once per node and run once per execution. Each family of operators
// lives in one file and exports its OpDefs; dialect/registry.h finds them by name.
#ifndef TWOFOLD_SRC_OPS_OP_H_
#define TWOFOLD_SRC_OPS_OP_H_

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"

namespace twofold {

// Runs a subgraph (the body of If, Loop or Scan); supplied by the engine, which sits above this layer.
using GraphRunner = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;

// What a kernel may look at while it is made, to prepare weights and tables once.
struct KernelArgs {
  const Node& node;
  // Per input of the node: its constant, or nullptr where it is known only at run time (or omitted).
  std::vector<const Tensor*> constants;
  // Makes a runner for a body of the node. It runs with the same options as the graph around it.
  std::function<GraphRunner(const Graph& body)> make_runner;
};

// One execution of one node: its inputs, and where its outputs go. Shapes are known here and only here: Twofold finds
// shapes by running, so every operator works on dynamic ones (docs/decisions/0002-shapes-by-running.md).
// Operators report trouble with throw_error(code, "what is wrong with which input"); whoever runs the node puts
// "node 'name' (Op): " before it.
class OpCall {
 public:
  OpCall(const Node& node, std::span<const Tensor* const> inputs, std::span<Tensor> outputs, Allocator* allocator)
      : node_(node), inputs_(inputs), outputs_(outputs), allocator_(allocator) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[static_cast<size_t>(i)] != nullptr; }
  bool wants_output(int i) const { return node_.output(i) != kNone; }
  // Throws Error(kInvalidModel) naming the operand if the input is omitted.
  const Tensor& input(int i) const;
  // Allocates output i, uninitialized.
  Tensor& output(int i, DType dtype, Shape shape, Layout layout = Layout::kPlain);
  // Makes output i an existing tensor, sharing its bytes.
  void set_output(int i, Tensor tensor);
  Allocator* allocator() const { return allocator_; }
  // Uninitialized working memory of the same allocator.
  Tensor scratch(DType dtype, Shape shape) const { return Tensor(dtype, std::move(shape), Layout::kPlain, allocator_); }

 private:
  const Node& node_;
  std::span<const Tensor* const> inputs_;
  std::span<Tensor> outputs_;
  Allocator* allocator_;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  // Thread-safe: one kernel may run in several threads at once.
  virtual void run(OpCall& call) const = 0;
  // Whether run() reads the elements of constant input `input`, or no more of it than type and shape.
  virtual bool reads_constant(int input) const {
    static_cast<void>(input);
    return true;
  }
  // What the kernel has made of constant weights for itself, the graph's own not counted. Some is made in the first
  // run.
  virtual size_t packed_bytes() const { return 0; }
};

struct OpDef {
  std::string_view op_type;
  // Exactly one of the two is set: a plain function, or a factory where something is prepared once.
  void (*run)(OpCall& call) = nullptr;
  std::unique_ptr<Kernel> (*make)(const KernelArgs& args) = nullptr;
  // True if the operator takes inputs in any layout (Layout::kChannelsLast too) and may write outputs in any.
  // For all others the engine converts inputs to Layout::kPlain first.
  bool any_layout = false;
  // Bit i: the operator wants input i in Layout::kChannelsLast if it is [N,C,spatial...].
  uint32_t channels_last = 0;
  std::string_view domain = "";
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_OP_H_
