#include "dialect/quantized_body.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

#include "base/check.h"
#include "base/parallel_for.h"
#include "dialect/quantized_body_node.h"
#include "dialect/registry.h"
#include "loops/layout.h"
#include "numeric/allocator_scope.h"
#include "ops/independent_dims.h"

namespace twofold {

namespace {

// Elements of a block: enough to be worth a thread, and so few that they fit the second-level cache in float32, before
// and behind an operator.
constexpr int64_t kLeastBlock = 1 << 13, kLargestBlock = 1 << 16;

// One operator of the body; it has one output.
struct Stage {
  const Node* node;
  std::unique_ptr<Kernel> kernel;
  bool any_layout;
};

// How tensors of one shape are cut into blocks of rows: slices of their leading dimensions.
struct Slicing {
  Shape leading;
  int64_t rows = 1, rows_per_block = 1;

  int64_t blocks() const { return (rows + rows_per_block - 1) / rows_per_block; }
  int64_t rows_of(int64_t block) const { return std::min(rows_per_block, rows - block * rows_per_block); }
  // The shape of a block with a number of rows of `tensor`, which has as many dimensions.
  Shape block_shape(const Tensor& tensor, int64_t block) const {
    Shape shape = tensor.shape();
    std::fill_n(shape.begin(), leading.size(), 1);
    shape[leading.size() - 1] = rows_of(block);
    return shape;
  }
};

// A block of a whole tensor, sharing its bytes.
Tensor block_of(const Slicing& slicing, const std::shared_ptr<const Tensor>& tensor, int64_t block) {
  const size_t row_bytes = tensor->byte_size() / static_cast<size_t>(slicing.rows);
  const std::byte* bytes = tensor->bytes() + static_cast<size_t>(block * slicing.rows_per_block) * row_bytes;
  return Tensor::wrap(tensor->dtype(), slicing.block_shape(*tensor, block), bytes, tensor);
}

// Allocates the outputs that `parts` are blocks of.
std::vector<std::byte*> allocate(const Slicing& slicing, const std::vector<Tensor>& parts, OpCall& call) {
  std::vector<std::byte*> outputs;
  for (size_t i = 0; i < parts.size(); ++i) {
    Shape shape = parts[i].shape();
    TWOFOLD_CHECK(shape.size() >= slicing.leading.size());
    std::ranges::copy(slicing.leading, shape.begin());
    outputs.push_back(call.output(static_cast<int>(i), parts[i].dtype(), std::move(shape)).mutable_bytes());
  }
  return outputs;
}

class QuantizedBodyKernel final : public Kernel {
 public:
  explicit QuantizedBodyKernel(const KernelArgs& args) : body_(QuantizedBodyNode::read(args.node).body) {
    for (NodeId id : body_->topological_order()) {
      const Node& node = body_->node(id);
      KernelArgs inner{node, {}, nullptr};
      for (ValueId input : node.inputs) inner.constants.push_back(body_->constant(input));
      std::unique_ptr<Kernel> kernel = make_kernel(inner);
      const bool any_layout = find_op(node.domain, node.op_type)->any_layout;
      stages_.push_back({&node, std::move(kernel), any_layout});
      any_layout_ = any_layout_ && any_layout;
    }
  }

  void run(OpCall& call) const override {
    std::vector<Tensor> inputs;
    for (int i = 0; i < call.num_inputs(); ++i) {
      // Converted here, since integers are smaller than what becomes of them.
      inputs.push_back(any_layout_ ? call.input(i) : to_layout(call.input(i), Layout::kPlain, call.allocator()));
    }
    const Slicing slicing = slice(inputs);
    if (slicing.blocks() > 1) return run_blocks(slicing, inputs, call);
    std::vector<Tensor> outputs = evaluate(std::move(inputs), call.allocator());
    for (size_t i = 0; i < outputs.size(); ++i) call.set_output(static_cast<int>(i), std::move(outputs[i]));
  }

 private:
  // One block where the inputs differ in shape, or an operator looks at more than a row.
  Slicing slice(const std::vector<Tensor>& inputs) const {
    if (inputs.empty()) return {};
    const Tensor& x = inputs[0];
    const bool alike = std::ranges::all_of(
        inputs, [&](const Tensor& input) { return input.shape() == x.shape() && input.layout() == Layout::kPlain; });
    if (!alike || x.size() == 0) return {};
    int dims = x.rank();
    for (const Stage& stage : stages_) dims = std::min(dims, independent_dims(*body_, *stage.node, x.rank()));
    if (dims == 0) return {};
    Slicing slicing{{x.shape().begin(), x.shape().begin() + dims}};
    slicing.rows = num_elements(slicing.leading);
    const int64_t elements = std::clamp(x.size() / num_threads(), kLeastBlock, kLargestBlock);
    const int64_t blocks = (x.size() + elements - 1) / elements;
    slicing.rows_per_block = (slicing.rows + blocks - 1) / blocks;
    return slicing;
  }

  void run_blocks(const Slicing& slicing, const std::vector<Tensor>& inputs, OpCall& call) const {
    std::vector<std::shared_ptr<const Tensor>> whole;
    for (const Tensor& input : inputs) whole.push_back(std::make_shared<const Tensor>(input));
    std::vector<std::byte*> outputs;
    std::once_flag allocated;  // by the first block that is done, which tells the shapes
    parallel_for(slicing.blocks(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        std::vector<Tensor> parts;
        for (const auto& input : whole) parts.push_back(block_of(slicing, input, block));
        parts = evaluate(std::move(parts), call.allocator());
        std::call_once(allocated, [&] { outputs = allocate(slicing, parts, call); });
        for (size_t i = 0; i < parts.size(); ++i) {
          const size_t row_bytes = parts[i].byte_size() / static_cast<size_t>(slicing.rows_of(block));
          std::memcpy(outputs[i] + static_cast<size_t>(block * slicing.rows_per_block) * row_bytes, parts[i].bytes(),
                      parts[i].byte_size());
        }
      }
    });
  }

  // The body's outputs.
  std::vector<Tensor> evaluate(std::vector<Tensor> inputs, Allocator* allocator) const {
    // What operators allocate for themselves too, in whichever thread this is.
    std::optional<AllocatorScope> buffers;
    if (allocator != nullptr) buffers.emplace(allocator);
    std::vector<Tensor> values(static_cast<size_t>(body_->num_values()));
    for (size_t i = 0; i < inputs.size(); ++i) values[static_cast<size_t>(body_->inputs[i])] = std::move(inputs[i]);
    for (const Stage& stage : stages_) run_stage(stage, values, allocator);
    std::vector<Tensor> outputs;
    for (const GraphOutput& output : body_->outputs) outputs.push_back(values[static_cast<size_t>(output.value)]);
    return outputs;
  }

  void run_stage(const Stage& stage, std::vector<Tensor>& values, Allocator* allocator) const {
    const Node& node = *stage.node;
    std::vector<const Tensor*> arguments;
    for (ValueId id : node.inputs) {
      if (id == kNone || body_->constant(id) != nullptr) {
        arguments.push_back(body_->constant(id));
        continue;
      }
      Tensor& value = values[static_cast<size_t>(id)];
      if (!stage.any_layout) value = to_layout(value, Layout::kPlain, allocator);
      arguments.push_back(&value);
    }
    std::vector<Tensor> results(node.outputs.size());
    OpCall call(node, arguments, results, allocator);
    stage.kernel->run(call);
    for (ValueId id : node.inputs) {
      if (id != kNone && body_->has_single_use(id)) values[static_cast<size_t>(id)] = Tensor();
    }
    values[static_cast<size_t>(node.outputs[0])] = std::move(results[0]);
  }

  const std::shared_ptr<const Graph> body_;
  std::vector<Stage> stages_;
  bool any_layout_ = true;
};

}  // namespace

std::unique_ptr<Kernel> make_quantized_body(const KernelArgs& args) {
  return std::make_unique<QuantizedBodyKernel>(args);
}

}  // namespace twofold
