#include "onnx/function_table.h"

#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>

#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

// Fields of onnx.proto that are younger than the installed messages (1.12), which keep them as unknown fields.
constexpr int kNodeOverload = 8, kFunctionOverload = 13, kFunctionAttributeProto = 11;

std::string unknown_string(const google::protobuf::Message& message, int number) {
  const google::protobuf::UnknownFieldSet& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      return field.length_delimited();
    }
  }
  return {};
}

template <typename Imports>
void read_imports(const Imports& imports, const std::string& whose, Opsets& opsets) {
  for (const onnx::OperatorSetIdProto& import : imports) {
    const std::string domain(canonical_domain(import.domain()));
    if (domain.empty() && import.version() < kMinOpset) {
      throw_error(ErrorCode::kUnsupported,
                  "{} uses opset {}; Twofold reads {} and later (onnx.version_converter can convert it)", whose,
                  import.version(), kMinOpset);
    }
    opsets.insert_or_assign(domain, import.version());
  }
}

}  // namespace

void check_domain(std::string_view domain, std::string_view node, std::string_view op_type) {
  if (!domain.starts_with("twofold")) return;
  throw_error(ErrorCode::kInvalidModel,
              "node '{}' ({}) is of domain '{}', whose operators exist inside Twofold only; no file may hold them",
              node, op_type, domain);
}

std::string_view canonical_domain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

Opsets read_opsets(const onnx::ModelProto& model) {
  Opsets opsets;
  read_imports(model.opset_import(), "the model", opsets);
  return opsets;
}

FunctionTable::FunctionTable(onnx::ModelProto& model) {
  const Opsets model_opsets = read_opsets(model);
  for (onnx::FunctionProto& proto : *model.mutable_functions()) {
    Function function{&proto, model_opsets, {}};
    read_imports(proto.opset_import(), fmt::format("function '{}'", proto.name()), function.opsets);
    const google::protobuf::UnknownFieldSet& fields = proto.unknown_fields();
    for (int i = 0; i < fields.field_count(); ++i) {
      if (fields.field(i).number() != kFunctionAttributeProto ||
          fields.field(i).type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
        continue;
      }
      onnx::AttributeProto& attribute = parsed_.emplace_back();
      if (!attribute.ParseFromString(fields.field(i).length_delimited())) {
        throw_error(ErrorCode::kInvalidModel, "function '{}' has a broken default attribute", proto.name());
      }
      function.defaults.emplace(attribute.name(), &attribute);
    }
    std::tuple key(std::string(canonical_domain(proto.domain())), proto.name(),
                   unknown_string(proto, kFunctionOverload));
    if (!functions_.emplace(std::move(key), std::move(function)).second) {
      throw_error(ErrorCode::kInvalidModel, "function '{}' is defined twice", proto.name());
    }
  }
}

const FunctionTable::Function* FunctionTable::find(const onnx::NodeProto& node) const {
  if (functions_.empty()) return nullptr;
  const auto it = functions_.find(
      {std::string(canonical_domain(node.domain())), node.op_type(), unknown_string(node, kNodeOverload)});
  return it == functions_.end() ? nullptr : &it->second;
}

}  // namespace twofold
