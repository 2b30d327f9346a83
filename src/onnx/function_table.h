// The functions that a model defines itself.
#ifndef TWOFOLD_SRC_ONNX_FUNCTION_TABLE_H_
#define TWOFOLD_SRC_ONNX_FUNCTION_TABLE_H_

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace onnx {
class AttributeProto;
class FunctionProto;
class ModelProto;
class NodeProto;
}  // namespace onnx

namespace twofold {

// Versions by domain; ONNX's own domain is "" whether the file says "" or "ai.onnx".
using Opsets = std::map<std::string, int64_t, std::less<>>;

std::string_view canonical_domain(std::string_view domain);

// Throws Error(kInvalidModel) naming the node if its operator is one that lowering makes: its attributes are not
// checked again, so it must not come from a file.
void check_domain(std::string_view domain, std::string_view node, std::string_view op_type);

// The operator sets a model imports. Throws Error(kUnsupported) for ONNX's own before kMinOpset.
Opsets read_opsets(const onnx::ModelProto& model);

class FunctionTable {
 public:
  struct Function {
    onnx::FunctionProto* proto;
    Opsets opsets;                                          // its own, and the model's where it says nothing
    std::map<std::string, onnx::AttributeProto*> defaults;  // of attributes a call may leave out
  };

  // Keeps pointers into `model`. Throws Error(kInvalidModel) if two functions have the same name.
  explicit FunctionTable(onnx::ModelProto& model);

  // The function that a node calls, or nullptr.
  const Function* find(const onnx::NodeProto& node) const;

 private:
  std::map<std::tuple<std::string, std::string, std::string>, Function> functions_;  // domain, name, overload
  std::deque<onnx::AttributeProto> parsed_;  // defaults, which the messages in use do not know as a field
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_FUNCTION_TABLE_H_
