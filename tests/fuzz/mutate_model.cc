#include "fuzz/mutate_model.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace twofold::testing {

namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using Names = google::protobuf::RepeatedPtrField<std::string>;

constexpr int64_t kInts[] = {0,
                             1,
                             -1,
                             2,
                             3,
                             -7,
                             64,
                             1000,
                             int64_t{1} << 31,
                             -(int64_t{1} << 31),
                             int64_t{1} << 40,
                             std::numeric_limits<int64_t>::max(),
                             std::numeric_limits<int64_t>::min()};
constexpr float kFloats[] = {0.0F,
                             -0.0F,
                             1.0F,
                             -1.0F,
                             0.5F,
                             1e-45F,
                             1e-38F,
                             3e38F,
                             -3e38F,
                             std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()};
constexpr const char* kOperators[] = {"Add",
                                      "Conv",
                                      "MatMul",
                                      "Gemm",
                                      "Relu",
                                      "Transpose",
                                      "Reshape",
                                      "Concat",
                                      "Split",
                                      "Slice",
                                      "Pad",
                                      "Clip",
                                      "Softmax",
                                      "LSTM",
                                      "Gather",
                                      "Resize",
                                      "TopK",
                                      "Where",
                                      "If",
                                      "Loop",
                                      "Scan",
                                      "Identity",
                                      "ReduceMean",
                                      "Unsqueeze",
                                      "MaxPool",
                                      "Cast",
                                      "QuantizeLinear",
                                      "DequantizeLinear",
                                      "QLinearConv",
                                      "ConstantOfShape",
                                      "Constant"};
constexpr int kTypes[] = {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 16, 17, 22, 99};

class Mutator {
 public:
  Mutator(onnx::ModelProto& model, std::mt19937_64& random) : model_(model), random_(random) {
    collect(*model.mutable_graph());
    for (onnx::FunctionProto& function : *model.mutable_functions()) collect(*function.mutable_node());
  }

  void run() {
    const size_t kind = below(10);
    if (kind < 7 && !nodes_.empty()) return change_node();
    switch (kind) {
      case 7: return change_weight();
      case 8: return change_input();
      default: return change_graph();
    }
  }

 private:
  // Less than `n`, which is not 0. std's distributions are not the same everywhere.
  size_t below(size_t n) { return static_cast<size_t>(random_() % n); }
  template <typename T, size_t kSize>
  T one_of(const T (&list)[kSize]) {
    return list[below(kSize)];
  }
  template <typename List>
  int place_in(const List& list) {
    return static_cast<int>(below(static_cast<size_t>(list.size())));
  }

  void collect(Nodes& nodes) {
    lists_.push_back(&nodes);
    for (onnx::NodeProto& node : nodes) {
      nodes_.push_back(&node);
      for (const std::string& name : node.output()) names_.push_back(name);
      for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
        if (attribute.has_g()) collect(*attribute.mutable_g());
      }
    }
  }
  void collect(onnx::GraphProto& graph) {
    graphs_.push_back(&graph);
    for (const onnx::ValueInfoProto& input : graph.input()) names_.push_back(input.name());
    for (const onnx::TensorProto& tensor : graph.initializer()) names_.push_back(tensor.name());
    collect(*graph.mutable_node());
  }

  std::string any_name() {
    switch (below(12)) {
      case 0: return "";
      case 1: return "nothing has this name";
      case 2: return "\x1b[2J\x1b[31mred\n\r\a";
      case 3: return std::string(100000, 'n');
      default: return names_.empty() ? "x" : names_[below(names_.size())];
    }
  }

  void change_names(Names& names) {
    if (names.empty() || below(8) == 0) {
      *names.Add() = any_name();
      return;
    }
    const int i = place_in(names);
    switch (below(5)) {
      case 0: names.DeleteSubrange(i, 1); break;
      case 1: names[i].clear(); break;
      case 2: names.DeleteSubrange(i, names.size() - i); break;
      case 3: names[i] = any_name(); break;
      default: names.SwapElements(i, place_in(names));
    }
  }

  void set_value(onnx::AttributeProto& attribute) {
    const std::string name = attribute.name();
    attribute.Clear();
    attribute.set_name(name);
    switch (below(6)) {
      case 0:
        attribute.set_type(onnx::AttributeProto::INT);
        attribute.set_i(one_of(kInts));
        break;
      case 1:
        attribute.set_type(onnx::AttributeProto::FLOAT);
        attribute.set_f(one_of(kFloats));
        break;
      case 2:
        attribute.set_type(onnx::AttributeProto::STRING);
        attribute.set_s(any_name());
        break;
      case 3: {
        attribute.set_type(onnx::AttributeProto::INTS);
        const size_t count = below(20) == 0 ? 3000000 : below(9);
        for (size_t i = 0; i < count; ++i) attribute.add_ints(one_of(kInts));
        break;
      }
      case 4:
        attribute.set_type(onnx::AttributeProto::FLOATS);
        for (size_t i = below(5); i > 0; --i) attribute.add_floats(one_of(kFloats));
        break;
      default: attribute.set_type(onnx::AttributeProto::TENSOR); change_tensor(*attribute.mutable_t());
    }
  }

  void change_attribute(onnx::NodeProto& node) {
    auto& attributes = *node.mutable_attribute();
    if (attributes.empty()) {
      onnx::AttributeProto& added = *attributes.Add();
      added.set_name(std::vector<std::string>{"axis", "perm", "pads", "axes", "group", "kernel_shape"}[below(6)]);
      return set_value(added);
    }
    onnx::AttributeProto& attribute = attributes[place_in(attributes)];
    switch (below(6)) {
      case 0: attributes.DeleteSubrange(place_in(attributes), 1); break;
      case 1: *attributes.Add() = onnx::AttributeProto(attribute); break;
      case 2:
        if (attribute.ints_size() > 0) {
          attribute.set_ints(place_in(attribute.ints()), one_of(kInts));
          break;
        }
        [[fallthrough]];
      case 3:
        if (attribute.has_i()) {
          attribute.set_i(one_of(kInts));
          break;
        }
        [[fallthrough]];
      default: set_value(attribute);
    }
  }

  void change_node() {
    onnx::NodeProto& node = *nodes_[below(nodes_.size())];
    switch (below(10)) {
      case 0:
      case 1:
      case 2: return change_names(*node.mutable_input());
      case 3: return change_names(*node.mutable_output());
      case 4:
      case 5:
      case 6: return change_attribute(node);
      case 7: node.set_op_type(one_of(kOperators)); return;
      case 8: node.set_domain(below(2) == 0 ? "com.microsoft" : ""); return;
      default: change_list(*lists_[below(lists_.size())]);
    }
  }

  void change_list(Nodes& nodes) {
    if (nodes.empty()) return;
    const int i = place_in(nodes);
    if (below(3) == 0) {
      *nodes.Add() = onnx::NodeProto(nodes[i]);
    } else if (below(2) == 0) {
      nodes.SwapElements(i, place_in(nodes));
    } else {
      nodes.DeleteSubrange(i, 1);
    }
  }

  void change_tensor(onnx::TensorProto& tensor) {
    switch (below(6)) {
      case 0: tensor.set_data_type(one_of(kTypes)); break;
      case 1:
        if (tensor.dims_size() > 0) tensor.set_dims(place_in(tensor.dims()), one_of(kInts));
        break;
      case 2: tensor.add_dims(one_of(kInts)); break;
      case 3: tensor.clear_dims(); break;
      case 4:  // no elements
        if (tensor.dims_size() > 0) tensor.set_dims(place_in(tensor.dims()), 0);
        tensor.mutable_raw_data()->clear();
        break;
      default: {
        std::string& raw = *tensor.mutable_raw_data();
        const float value = one_of(kFloats);
        if (tensor.data_type() == onnx::TensorProto::FLOAT && raw.size() >= sizeof(value)) {
          raw.replace(below(raw.size() / sizeof(value)) * sizeof(value), sizeof(value),
                      reinterpret_cast<const char*>(&value), sizeof(value));
        } else if (!raw.empty()) {
          raw[below(raw.size())] = static_cast<char>(below(256));
        }
      }
    }
  }

  void change_weight() {
    onnx::GraphProto& graph = *graphs_[below(graphs_.size())];
    if (graph.initializer_size() == 0) return change_input();
    const int i = place_in(graph.initializer());
    if (below(6) == 0) {
      graph.mutable_initializer()->DeleteSubrange(i, 1);
    } else {
      change_tensor(*graph.mutable_initializer(i));
    }
  }

  void change_input() {
    onnx::GraphProto& graph = *graphs_[below(graphs_.size())];
    if (graph.input_size() == 0) return;
    onnx::ValueInfoProto& input = *graph.mutable_input(place_in(graph.input()));
    onnx::TypeProto_Tensor& type = *input.mutable_type()->mutable_tensor_type();
    switch (below(5)) {
      case 0: type.set_elem_type(one_of(kTypes)); break;
      case 1: type.clear_shape(); break;
      case 2: type.mutable_shape()->add_dim()->set_dim_value(one_of(kInts)); break;
      case 3: input.set_name(any_name()); break;
      default:
        if (type.shape().dim_size() > 0) {
          type.mutable_shape()->mutable_dim(place_in(type.shape().dim()))->set_dim_value(one_of(kInts));
        }
    }
  }

  void change_graph() {
    onnx::GraphProto& graph = *graphs_[below(graphs_.size())];
    if (below(4) == 0 && model_.opset_import_size() > 0) {
      model_.mutable_opset_import(place_in(model_.opset_import()))->set_version(static_cast<int64_t>(below(28)));
    } else if (graph.output_size() > 0) {
      onnx::ValueInfoProto& output = *graph.mutable_output(place_in(graph.output()));
      if (below(3) == 0) {
        *graph.add_output() = onnx::ValueInfoProto(output);
      } else {
        output.set_name(any_name());
      }
    }
  }

  onnx::ModelProto& model_;
  std::mt19937_64& random_;
  std::vector<onnx::GraphProto*> graphs_;
  std::vector<Nodes*> lists_;
  std::vector<onnx::NodeProto*> nodes_;
  std::vector<std::string> names_;
};

}  // namespace

void mutate(onnx::ModelProto& model, std::mt19937_64& random) { Mutator(model, random).run(); }

}  // namespace twofold::testing
