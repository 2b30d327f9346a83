#include "traits/op_examples.h"

#include <cmath>

namespace twofold::testing {

namespace {

// Numbers from -3 to 3, among them many that no other is like.
Tensor spread(Shape shape, uint32_t seed) {
  Tensor x = random_tensor(std::move(shape), seed);
  for (float& value : x.mutable_data<float>()) value *= 3;
  return x;
}

Tensor floats(Shape shape, const std::vector<float>& values) { return tensor<float>(std::move(shape), values); }

Tensor ones(int64_t count) { return floats({count}, std::vector<float>(static_cast<size_t>(count), 1.0F)); }

Tensor bools(Shape shape) {
  Tensor result(DType::kBool, std::move(shape));
  uint8_t next = 0;
  for (uint8_t& value : result.mutable_data<uint8_t>()) value = next++ % 3 == 0;
  return result;
}

Tensor int64(Shape shape, const std::vector<int64_t>& values) { return tensor<int64_t>(std::move(shape), values); }

using Ints = std::vector<int64_t>;

class Examples {
 public:
  std::vector<OpExample> list;

  void add(const std::string& op, std::vector<Tensor> inputs, AttributeList attributes = {}, int outputs = 1,
           std::set<size_t> fixed = {}) {
    list.push_back({op, std::move(inputs), std::move(attributes), outputs, std::move(fixed)});
  }
  void each(std::initializer_list<const char*> ops, const std::vector<Tensor>& inputs,
            const AttributeList& attributes = {}, int outputs = 1) {
    for (const char* op : ops) add(op, inputs, attributes, outputs);
  }

  void elementwise();
  void rows();
  void movement();
  void others();

 private:
  const Tensor x_ = spread({2, 4, 4, 4}, 1), y_ = spread({2, 4, 4, 4}, 2), z_ = spread({2, 4, 4, 4}, 3);
};

void Examples::elementwise() {
  each({"Abs",        "Acos",     "Acosh", "Asin",     "Asinh",     "Atan",    "Atanh",       "Ceil",
        "Celu",       "Cos",      "Cosh",  "Elu",      "Erf",       "Exp",     "Floor",       "Gelu",
        "HardSwish",  "IsInf",    "IsNaN", "Log",      "LeakyRelu", "Mish",    "HardSigmoid", "Neg",
        "Reciprocal", "Relu",     "Round", "Selu",     "Shrink",    "Sigmoid", "Sign",        "Sin",
        "Sinh",       "Softplus", "Sqrt",  "Softsign", "Swish",     "Tan",     "Tanh"},
       {x_});
  add("ThresholdedRelu", {x_}, {{"alpha", -0.5F}});
  add("Clip", {x_, floats({}, {-1}), floats({}, {2})});
  add("Cast", {x_}, {{"to", int64_t{static_cast<int64_t>(DType::kInt32)}}});
  add("CastLike", {x_, int64({}, {0})});
  each({"Not"}, {bools({2, 4, 4, 4})});
  each({"BitwiseNot"}, {counting<uint8_t>({2, 4, 4, 4})});
  each({"And", "Or", "Xor"}, {bools({2, 4, 4, 4}), bools({4, 4})});
  each({"BitwiseAnd", "BitwiseOr", "BitwiseXor"}, {counting<uint8_t>({2, 4, 4, 4}), counting<uint8_t>({4, 4})});
  add("BitShift", {counting<uint8_t>({2, 4, 4, 4}), tensor<uint8_t>({}, {1})}, {{"direction", std::string("LEFT")}});
  each({"Add", "Sub", "Mul", "Max", "Min", "Sum", "Mean", "PRelu", "Pow", "Equal", "Less", "LessOrEqual", "Greater",
        "GreaterOrEqual"},
       {x_, y_});
  // No divisor is 0 as an integer.
  const Tensor divisors = floats({4}, {1, -2, 3, 4});
  add("Div", {x_, divisors});
  add("Mod", {x_, divisors}, {{"fmod", int64_t{1}}});
  add("Where", {bools({2, 4, 4, 4}), x_, y_});
}

void Examples::rows() {
  const AttributeList kernel = {{"kernel_shape", Ints{2, 2}}};
  each({"AveragePool", "LpPool"}, {x_}, kernel);
  add("MaxPool", {x_}, kernel, 2);
  each({"GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"}, {x_});
  add("BatchNormalization", {x_, ones(4), ones(4), ones(4), ones(4)});
  add("GroupNormalization", {x_, ones(4), ones(4)}, {{"num_groups", int64_t{2}}});
  each({"InstanceNormalization"}, {x_, ones(4), ones(4)});
  add("LRN", {x_}, {{"size", int64_t{3}}});
  add("LayerNormalization", {x_, ones(4), ones(4)}, {}, 3);
  add("RMSNormalization", {x_, ones(4)});
  each({"Hardmax", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "Softmax", "ArgMax", "ArgMin"}, {x_});
  each({"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
        "ReduceSum", "ReduceSumSquare"},
       {x_, ints({2, 3})});
  add("CumSum", {x_, int64({}, {1})});
}

void Examples::movement() {
  each({"Concat"}, {x_, y_, z_}, {{"axis", int64_t{1}}});
  each({"DepthToSpace", "SpaceToDepth"}, {x_}, {{"blocksize", int64_t{2}}});
  each({"Dropout"}, {x_}, {}, 2);
  each({"Flatten", "Identity", "Transpose", "Trilu"}, {x_});
  each({"Expand"}, {x_, ints({3, 1, 1, 1, 1})});
  each({"Tile"}, {x_, ints({1, 2, 1, 3})});
  each({"Pad"}, {x_, ints({0, 0, 1, 1, 0, 0, 1, 1})});
  each({"Reshape"}, {x_, ints({8, -1})});
  each({"Squeeze"}, {spread({2, 1, 4}, 4), ints({1})});
  each({"Unsqueeze"}, {x_, ints({1})});
  each({"Slice"}, {x_, ints({1}), ints({3}), ints({2})});
  each({"Split"}, {x_}, {{"axis", int64_t{1}}, {"num_outputs", int64_t{2}}}, 2);
  each({"Gather"}, {x_, ints({0, 2})}, {{"axis", int64_t{1}}});
  each({"GatherElements"}, {x_, int64({1, 1, 1, 4}, {1, 0, 1, 1})});
  each({"GatherND"}, {x_, int64({2, 2}, {0, 1, 1, 3})});
  add("Compress", {x_, bools({4})}, {{"axis", int64_t{1}}});
  add("ReverseSequence", {x_, ints({1, 2, 2, 1})});
  add("ScatterElements", {x_, int64({1, 1, 1, 2}, {1, 0}), floats({1, 1, 1, 2}, {5, 6})});
  add("ScatterND", {x_, int64({1, 4}, {1, 1, 1, 1}), floats({1}, {5})});
  add("TopK", {x_, ints({2})}, {}, 2);
  add("Unique", {floats({5}, {2, 1, 2, 3, 1})}, {}, 4);
  add("MaxUnpool", {floats({1, 1, 1, 2}, {3, 4}), int64({1, 1, 1, 2}, {1, 6})},
      {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
}

void Examples::others() {
  add("Conv", {x_, spread({3, 4, 3, 3}, 5), ones(3)});
  add("ConvTranspose", {x_, spread({4, 3, 3, 3}, 6)});
  add("MatMul", {x_, y_});
  add("Gemm", {spread({3, 4}, 7), spread({4, 5}, 8)});
  add("Einsum", {x_, y_}, {{"equation", std::string("abij,abjk->abik")}});
  const Tensor sequence = spread({3, 2, 4}, 9);
  const auto recurrent = [&](const char* op, int64_t gates, int outputs) {
    add(op, {sequence, spread({1, gates * 2, 4}, 10), spread({1, gates * 2, 2}, 11)}, {{"hidden_size", int64_t{2}}},
        outputs);
  };
  recurrent("RNN", 1, 2), recurrent("GRU", 3, 2), recurrent("LSTM", 4, 3);
  add("GridSample", {x_, random_tensor({2, 3, 3, 2}, 12)});
  add("Resize", {x_, Tensor(), floats({4}, {1, 1, 2, 2})}, {}, 1, {2});
  add("AffineGrid", {random_tensor({2, 2, 3}, 13), ints({2, 4, 3, 3})});
  add("RoiAlign", {x_, floats({1, 4}, {0, 0, 3, 3}), ints({0})});
  add("Constant", {}, {{"value", Tensor::scalar(1.0F)}});
  add("ConstantOfShape", {ints({2, 3})});
  add("EyeLike", {spread({3, 3}, 14)});
  add("NonMaxSuppression", {floats({1, 2, 4}, {0, 0, 1, 1, 2, 2, 3, 3}), floats({1, 1, 2}, {0.9F, 0.8F}), ints({2})});
  each({"NonZero", "Shape", "Size"}, {x_});
  add("OneHot", {ints({0, 2}), int64({}, {3}), floats({2}, {0, 1})}, {}, 1, {2});
  add("Range", {floats({}, {0}), floats({}, {5}), floats({}, {2})});
  add("QuantizeLinear", {x_, floats({}, {0.1F}), tensor<int8_t>({}, {3})});
  add("DequantizeLinear", {counting<int8_t>({2, 4, 4, 4}), floats({}, {0.1F}), tensor<int8_t>({}, {3})}, {}, 1, {1});
  add("DynamicQuantizeLinear", {x_}, {}, 3);
  add("MatMulInteger", {counting<uint8_t>({2, 3}), counting<int8_t>({3, 4})}, {}, 1, {1});
  add("ConvInteger", {counting<uint8_t>({1, 2, 4, 4}), counting<int8_t>({3, 2, 2, 2})}, {}, 1, {1});
}

}  // namespace

std::vector<OpExample> op_examples() {
  Examples examples;
  examples.elementwise();
  examples.rows();
  examples.movement();
  examples.others();
  return examples.list;
}

}  // namespace twofold::testing
