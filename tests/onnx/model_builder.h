// Builds small ONNX files in memory for tests, and describes graphs as text to compare them.
#ifndef TWOFOLD_TESTS_ONNX_MODEL_BUILDER_H_
#define TWOFOLD_TESTS_ONNX_MODEL_BUILDER_H_

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace twofold::testing {

using AttributeValue = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>>;
using AttributeList = std::map<std::string, AttributeValue>;
using Names = std::vector<std::string>;

void fill_node(onnx::NodeProto& node, const std::string& op_type, const Names& inputs, const Names& outputs,
               const AttributeList& attributes = {}, const std::string& domain = "", const std::string& name = "");
void fill_value(onnx::ValueInfoProto& value, const std::string& name, const std::vector<int64_t>& dims,
                DType dtype = DType::kFloat32);
onnx::FunctionProto& add_function(onnx::ModelProto& model, const std::string& name, const std::string& domain,
                                  const Names& inputs, const Names& outputs);

// `model` is public: a test adds by hand what has no method here.
class ModelBuilder {
 public:
  explicit ModelBuilder(int64_t opset = 21);

  ModelBuilder& input(const std::string& name, const std::vector<int64_t>& dims, DType dtype = DType::kFloat32);
  ModelBuilder& output(const std::string& name);
  ModelBuilder& node(const std::string& op_type, const Names& inputs, const Names& outputs,
                     const AttributeList& attributes = {}, const std::string& domain = "",
                     const std::string& name = "");
  ModelBuilder& floats(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values);
  ModelBuilder& ints(const std::string& name, const std::vector<int64_t>& values);
  // A tensor of a small integer type in int32_data.
  ModelBuilder& small(const std::string& name, DType dtype, const std::vector<int64_t>& dims,
                      const std::vector<int>& values);
  onnx::TensorProto& tensor(const std::string& name, int data_type, const std::vector<int64_t>& dims);

  std::string bytes() const { return model.SerializeAsString(); }
  // Imported as "model", with external data in `folder`.
  Graph import(const std::filesystem::path& folder = {}) const;

  onnx::ModelProto model;
};

// Everything a graph says, nodes in topological order: two graphs with the same description are equal.
std::string describe(const Graph& graph);

// The operators in topological order, e.g. "Flatten Softmax Reshape".
std::string operators(const Graph& graph);

// The node, which must exist.
const Node& node_named(const Graph& graph, const std::string& name);

// Values of the constant that input i of a node is, as numbers; empty if it is none.
std::vector<double> constant_input(const Graph& graph, const Node& node, int i);

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  size_t num_files() const;

 private:
  std::filesystem::path path_;
};

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_ONNX_MODEL_BUILDER_H_
