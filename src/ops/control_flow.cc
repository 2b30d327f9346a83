// If, Loop and Scan. Their bodies are graphs; what a body captures of the graph around it follows the node's own inputs
// (graph.h).
#include <algorithm>

#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

// Pieces of the same shape, joined along a new axis; `fallback` is the result for no pieces at all.
Tensor stack(const std::vector<Tensor>& pieces, int64_t axis, bool reverse, const Tensor& fallback) {
  if (pieces.empty()) return fallback;
  const Tensor& first = pieces[0];
  Shape shape = first.shape();
  axis = normalize_axis(axis, first.rank() + 1);
  shape.insert(shape.begin() + axis, static_cast<int64_t>(pieces.size()));
  Tensor result(first.dtype(), std::move(shape));
  std::vector<int64_t> out = element_strides(result.shape());
  const int64_t step = out[static_cast<size_t>(axis)] * static_cast<int64_t>(byte_size(first.dtype()));
  out.erase(out.begin() + axis);
  const std::vector<int64_t> in = element_strides(first.shape());
  std::byte* to = result.mutable_bytes();
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].dtype() != first.dtype() || pieces[i].shape() != first.shape()) {
      throw_error(ErrorCode::kInvalidModel, "a scan output has shape {} in iteration 0, but {} in iteration {}",
                  to_string(first.shape()), to_string(pieces[i].shape()), i);
    }
    std::vector<CopyDim> dims(in.size());
    for (size_t d = 0; d < dims.size(); ++d) dims[d] = {first.shape()[d], in[d], out[d]};
    const size_t place = reverse ? pieces.size() - 1 - i : i;
    strided_copy(byte_size(first.dtype()), std::move(dims), pieces[i].bytes(), to + static_cast<int64_t>(place) * step);
  }
  return result;
}

// The piece at position i of an axis, without that axis.
Tensor piece_of(const Tensor& x, int64_t axis, int64_t i) {
  const std::vector<int64_t> in = element_strides(x.shape());
  Shape shape = x.shape();
  shape.erase(shape.begin() + axis);
  Tensor result(x.dtype(), std::move(shape));
  const std::vector<int64_t> out = element_strides(result.shape());
  std::vector<CopyDim> dims;
  for (size_t d = 0; d < in.size(); ++d) {
    if (static_cast<int64_t>(d) != axis) dims.push_back({x.shape()[d], in[d], out[dims.size()]});
  }
  const int64_t offset = i * in[static_cast<size_t>(axis)] * static_cast<int64_t>(byte_size(x.dtype()));
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes() + offset, result.mutable_bytes());
  return result;
}

// What a scan output is when the body never ran: no pieces of the shape that the body declares.
Tensor no_pieces(const Graph& body, size_t output) {
  const TensorType& type = body.value(body.outputs[output].value).type;
  Shape shape = {0};
  if (type.shape) {
    for (const Dim& dim : *type.shape) shape.push_back(std::max<int64_t>(dim.value, 0));
  }
  return Tensor(is_known(type.dtype) ? type.dtype : DType::kFloat32, std::move(shape));
}

std::shared_ptr<const Graph> body_of(const KernelArgs& args, std::string_view attribute, size_t inputs,
                                     size_t fewest_outputs) {
  std::shared_ptr<const Graph> body = args.node.attributes.get_graph(attribute);
  if (body->inputs.size() != inputs || body->outputs.size() < fewest_outputs) {
    throw_error(ErrorCode::kInvalidModel, "{} has {} inputs and {} outputs, but the node needs {} and at least {}",
                attribute, body->inputs.size(), body->outputs.size(), inputs, fewest_outputs);
  }
  return body;
}

class IfKernel final : public Kernel {
 public:
  explicit IfKernel(const KernelArgs& args) {
    const size_t captures = std::max<size_t>(args.node.inputs.size(), 1) - 1, outputs = args.node.outputs.size();
    then_ = args.make_runner(*body_of(args, "then_branch", captures, outputs));
    else_ = args.make_runner(*body_of(args, "else_branch", captures, outputs));
  }

  void run(OpCall& call) const override {
    std::vector<Tensor> inputs;
    for (int i = 1; i < call.num_inputs(); ++i) inputs.push_back(call.input(i));
    std::vector<Tensor> outputs = (read_flag(call.input(0), "the condition") ? then_ : else_)(inputs);
    for (int i = 0; i < call.num_outputs(); ++i) call.set_output(i, std::move(outputs[static_cast<size_t>(i)]));
  }

 private:
  GraphRunner then_, else_;
};

class LoopKernel final : public Kernel {
 public:
  explicit LoopKernel(const KernelArgs& args) {
    const size_t inputs = std::max<size_t>(args.node.inputs.size(), 2);
    body_ = body_of(args, "body", inputs, 1);
    const auto captures = static_cast<size_t>(body_->num_captures);
    carried_ = inputs - 2 - std::min(captures, inputs - 2);
    if (body_->outputs.size() < 1 + carried_ || args.node.outputs.size() > body_->outputs.size() - 1) {
      throw_error(ErrorCode::kInvalidModel, "body has {} outputs, but {} values are carried and {} are asked for",
                  body_->outputs.size(), carried_, args.node.outputs.size());
    }
    run_body_ = args.make_runner(*body_);
  }

  void run(OpCall& call) const override {
    const bool counted = call.has_input(0);
    if (!counted && !call.has_input(1)) {
      throw_error(ErrorCode::kInvalidModel, "the loop has neither a trip count nor a condition: it would never end");
    }
    const int64_t trips = counted ? read_int(call.input(0), "the trip count") : 0;
    const bool conditional = call.has_input(1);
    bool go_on = !conditional || read_flag(call.input(1), "the condition");
    std::vector<Tensor> inputs(2);
    Tensor condition(DType::kBool, {});
    condition.mutable_data<uint8_t>()[0] = 1;
    inputs[1] = condition;
    for (int i = 2; i < call.num_inputs(); ++i) inputs.push_back(call.input(i));
    std::vector<std::vector<Tensor>> scans(body_->outputs.size() - 1 - carried_);
    // Nothing is reserved ahead: a trip count may be huge and the condition end the loop soon.
    for (int64_t i = 0; go_on && (!counted || i < trips); ++i) {
      inputs[0] = Tensor::scalar(i);
      std::vector<Tensor> outputs = run_body_(inputs);
      if (conditional) go_on = read_flag(outputs[0], "the body's condition");
      for (size_t k = 0; k < carried_; ++k) inputs[2 + k] = std::move(outputs[1 + k]);
      for (size_t k = 0; k < scans.size(); ++k) scans[k].push_back(std::move(outputs[1 + carried_ + k]));
    }
    for (int k = 0; k < call.num_outputs(); ++k) {
      const auto at = static_cast<size_t>(k);
      if (!call.wants_output(k)) continue;
      call.set_output(
          k, at < carried_ ? inputs[2 + at] : stack(scans[at - carried_], 0, false, no_pieces(*body_, 1 + at)));
    }
  }

 private:
  std::shared_ptr<const Graph> body_;
  size_t carried_ = 0;
  GraphRunner run_body_;
};

class ScanKernel final : public Kernel {
 public:
  explicit ScanKernel(const KernelArgs& args) {
    const Attributes& attributes = args.node.attributes;
    body_ = body_of(args, "body", args.node.inputs.size(), args.node.outputs.size());
    const int64_t scanned = attributes.get_int("num_scan_inputs");
    const int64_t own = static_cast<int64_t>(args.node.inputs.size()) - body_->num_captures;
    if (scanned < 1 || scanned > own) {
      throw_error(ErrorCode::kInvalidModel, "num_scan_inputs is {}, but the node has {} inputs", scanned, own);
    }
    scanned_ = static_cast<size_t>(scanned);
    states_ = static_cast<size_t>(own - scanned);
    if (body_->outputs.size() < states_) {
      throw_error(ErrorCode::kInvalidModel, "body has {} outputs for {} states", body_->outputs.size(), states_);
    }
    const size_t outputs = body_->outputs.size() - states_;
    input_axes_ = list(attributes, "scan_input_axes", scanned_);
    input_directions_ = list(attributes, "scan_input_directions", scanned_);
    output_axes_ = list(attributes, "scan_output_axes", outputs);
    output_directions_ = list(attributes, "scan_output_directions", outputs);
    run_body_ = args.make_runner(*body_);
  }

  void run(OpCall& call) const override {
    std::vector<Tensor> inputs;
    for (int i = 0; i < call.num_inputs(); ++i) inputs.push_back(call.input(i));
    const std::vector<Tensor> sources(inputs.begin() + static_cast<int64_t>(states_),
                                      inputs.begin() + static_cast<int64_t>(states_ + scanned_));
    std::vector<int64_t> axes = input_axes_;
    int64_t length = -1;
    for (size_t k = 0; k < scanned_; ++k) {
      axes[k] = normalize_axis(axes[k], sources[k].rank());
      const int64_t dim = sources[k].dim(static_cast<int>(axes[k]));
      if (length >= 0 && dim != length) {
        throw_error(ErrorCode::kInvalidModel, "the scanned inputs have {} and {} elements", length, dim);
      }
      length = dim;
    }
    std::vector<std::vector<Tensor>> scans(body_->outputs.size() - states_);
    for (int64_t i = 0; i < length; ++i) {
      for (size_t k = 0; k < scanned_; ++k) {
        inputs[states_ + k] = piece_of(sources[k], axes[k], input_directions_[k] != 0 ? length - 1 - i : i);
      }
      std::vector<Tensor> outputs = run_body_(inputs);
      for (size_t k = 0; k < states_; ++k) inputs[k] = std::move(outputs[k]);
      for (size_t k = 0; k < scans.size(); ++k) scans[k].push_back(std::move(outputs[states_ + k]));
    }
    for (int k = 0; k < call.num_outputs(); ++k) {
      const auto at = static_cast<size_t>(k);
      if (!call.wants_output(k)) continue;
      if (at < states_) {
        call.set_output(k, inputs[at]);
      } else {
        const size_t s = at - states_;
        call.set_output(k, stack(scans[s], output_axes_[s], output_directions_[s] != 0, no_pieces(*body_, at)));
      }
    }
  }

 private:
  static std::vector<int64_t> list(const Attributes& attributes, std::string_view name, size_t size) {
    std::vector<int64_t> values = attributes.get_ints(name, std::vector<int64_t>(size, 0));
    if (values.size() != size) {
      throw_error(ErrorCode::kInvalidModel, "{} has {} values, but {} are expected", name, values.size(), size);
    }
    return values;
  }

  std::shared_ptr<const Graph> body_;
  size_t states_ = 0, scanned_ = 0;
  std::vector<int64_t> input_axes_, input_directions_, output_axes_, output_directions_;
  GraphRunner run_body_;
};

template <typename K>
std::unique_ptr<Kernel> make(const KernelArgs& args) {
  return std::make_unique<K>(args);
}

constexpr OpDef kOps[] = {
    {.op_type = "If", .make = make<IfKernel>},
    {.op_type = "Loop", .make = make<LoopKernel>},
    {.op_type = "Scan", .make = make<ScanKernel>},
};

}  // namespace

std::span<const OpDef> control_flow_ops() { return kOps; }

}  // namespace twofold
