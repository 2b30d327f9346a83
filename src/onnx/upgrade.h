// Turns an operator's older or foreign form into the one of opset kOpset, so that nothing behind import knows of
// others.
//
// One rule per operator and change, in files by theme; upgrade_node applies those that a node's version asks for, in
// order. The main node keeps its name and its outputs keep their values; nodes that a rule adds have the node's name
// with a word behind it, and its origins.
#ifndef TWOFOLD_SRC_ONNX_UPGRADE_H_
#define TWOFOLD_SRC_ONNX_UPGRADE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "traits/signature.h"

namespace twofold {

// Oldest opset that import accepts: before it, broadcasting and many operators meant something else.
inline constexpr int64_t kMinOpset = 7;

// What a rule works with: the node being upgraded, and the means to put constants and other nodes around it.
class Upgrade {
 public:
  Upgrade(Graph& graph, NodeId id, int64_t version) : graph_(graph), id_(id), version_(version) {}

  Graph& graph() const { return graph_; }
  NodeId id() const { return id_; }
  const Node& node() const { return graph_.node(id_); }
  Attributes& attributes() const { return graph_.attributes(id_); }
  // The version of the node's operator set in the file.
  int64_t version() const { return version_; }
  ValueId input(int i) const { return node().input(i); }
  // The rank of a value, or -1 if it is not known.
  int rank(ValueId value) const;

  ValueId constant(std::string_view word, Tensor tensor);
  ValueId ints(std::string_view word, const std::vector<int64_t>& values);
  // A scalar of the element type of `like`, as far as the file says what that is; float32 otherwise.
  ValueId scalar(std::string_view word, float value, ValueId like);
  // A new node `<name>_<word>` and its output.
  ValueId emit(std::string_view word, std::string_view op_type, std::vector<ValueId> inputs,
               Attributes attributes = {});
  // The node's output i becomes what the new node `<name>_<word>` makes of it: input(s) `before`, a fresh value that
  // the node now writes, then `more`.
  void append(std::string_view word, std::string_view op_type, std::vector<ValueId> more = {},
              Attributes attributes = {}, int output = 0);
  // Replaces the node's operator and inputs; attributes stay.
  void become(std::string_view op_type, std::vector<ValueId> inputs);
  void set_input(int input, ValueId value) { graph_.set_input(id_, input, value); }
  // The attribute becomes a constant input (1-D) if it is there, and goes.
  void ints_to_input(const char* attribute, int input);

 private:
  std::string name_of(std::string_view word) const;

  Graph& graph_;
  NodeId id_;
  int64_t version_;
};

struct UpgradeRule {
  std::string_view op_type;
  int64_t below;  // applies to nodes of versions older than this
  void (*apply)(Upgrade&);
  std::string_view inputs = {};  // of the form that it upgrades (traits/signature.h); empty: as those of opset kOpset
  std::string_view domain = "";
  int max_outputs = 1;
};

inline constexpr std::string_view kMicrosoft = "com.microsoft";  // the domain of ONNX Runtime's own operators
inline constexpr int64_t kAlways = std::numeric_limits<int64_t>::max();

std::span<const UpgradeRule> attribute_rules();  // attributes that became inputs
std::span<const UpgradeRule> softmax_rules();    // Softmax, LogSoftmax and Hardmax before 13
std::span<const UpgradeRule> resize_rules();     // Upsample, Resize, GridSample, RoiAlign
std::span<const UpgradeRule>
normalization_rules();                           // BatchNormalization, GroupNormalization, and ORT's names of others
std::span<const UpgradeRule> fused_rules();      // com.microsoft: operators with an activation or an Add in them
std::span<const UpgradeRule> qoperator_rules();  // QLinearConv and all that computes on quantized tensors
std::span<const UpgradeRule> dynamic_rules();    // products that are quantized while they run
std::span<const UpgradeRule> newer_rules();      // attributes that opsets after kOpset gave a meaning

// What a node of the version has; nothing for operators that neither a row of the traits nor a rule tells of.
std::optional<Signature> signature_of(std::string_view domain, std::string_view op_type, int64_t version);

// Throws Error(kUnsupported) naming the node where an old form has no equivalent. REQUIRES: check_operands with that
// signature.
void upgrade_node(Graph& graph, NodeId id, int64_t version);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_UPGRADE_H_
