#include "dialect/product_node.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "dialect/check_node.h"
#include "dialect/domain.h"
#include "numeric/integer_limits.h"

namespace twofold {

namespace {

constexpr std::array kOpTypes = {kIntegerConv, kIntegerConvTranspose, kIntegerMatMul, kIntegerGemm};
constexpr size_t kFirstOperand = 3;

constexpr const char* kADtype = "a_dtype";
constexpr const char* kAScale = "a_scale";
constexpr const char* kAZeroPoint = "a_zero_point";
constexpr const char* kBScale = "b_scale";
constexpr const char* kBZeroPoint = "b_zero_point";
constexpr std::array kEc = {"a_ec", "b_ec"};
constexpr const char* kOutputs = "y";

void require(const Attributes& attributes, const char* name) {
  if (!attributes.has(name)) throw_error(ErrorCode::kInvalidModel, "attribute '{}' is missing", name);
}

void check_scale(float scale, const char* name) {
  if (!(scale > 0) || !std::isfinite(scale)) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' has the value {}, which is no scale", name, scale);
  }
}

// A zero point of an 8- or 16-bit integer.
int32_t read_zero_point(const Attributes& attributes, const char* name) {
  const int64_t value = attributes.get_int(name);
  if (value < std::numeric_limits<int16_t>::min() || value > std::numeric_limits<uint16_t>::max()) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' has the value {}, which is no zero point", name, value);
  }
  return static_cast<int32_t>(value);
}

// The numbers of the operands.
void read_operands(const Attributes& attributes, ProductNode& product) {
  product.a_dtype = static_cast<DType>(attributes.get_int(kADtype));
  if (!is_operand_type(product.a_dtype)) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' is not an 8- or 16-bit integer type", kADtype);
  }
  require(attributes, kAScale);
  require(attributes, kBScale);
  product.a_scale = attributes.get_float(kAScale, 0);
  product.a_zero_point = read_zero_point(attributes, kAZeroPoint);
  product.b_scale = attributes.get_floats(kBScale, {});
  product.b_zero_point = read_zero_point(attributes, kBZeroPoint);
  check_scale(product.a_scale, kAScale);
  for (const float scale : product.b_scale) check_scale(scale, kBScale);
  if (product.b_scale.empty()) throw_error(ErrorCode::kInvalidModel, "attribute '{}' is empty", kBScale);
}

}  // namespace

EcOperands EcOperands::read(const Attributes& attributes) {
  return {attributes.get_int(kEc[0], 0) != 0, attributes.get_int(kEc[1], 0) != 0};
}

void mark_ec(Attributes& attributes, int operand) { attributes.set(kEc.at(static_cast<size_t>(operand)), int64_t{1}); }

std::string ProductNode::op_type_of(std::string_view float_op_type) { return "Integer" + std::string(float_op_type); }

bool ProductNode::is(const Node& node) {
  return node.domain == kDialect && std::ranges::find(kOpTypes, node.op_type) != kOpTypes.end();
}

ProductNode ProductNode::read(const Node& node) {
  const Attributes& attributes = node.attributes;
  ProductNode product;
  product.op_type = node.op_type;
  read_operands(attributes, product);
  product.ec = EcOperands::read(attributes);
  product.outputs = read_forms(attributes, kOutputs);
  product.program = FloatProgram::read(attributes);
  if (product.outputs.empty()) throw_error(ErrorCode::kInvalidModel, "the product has no form");
  if (product.program && (product.outputs.size() != 1 || product.outputs[0].dtype == DType::kFloat64)) {
    throw_error(ErrorCode::kInvalidModel, "a program begins with one form of the product: integers or float32");
  }
  const size_t operands = product.program ? product.program->operands.size() : 0;
  check_inputs(node, operands > 0 ? kFirstOperand + operands : 2, kFirstOperand + operands);
  check_given(node, 0, 2);
  check_given(node, kFirstOperand, kFirstOperand + operands);
  check_outputs(node, product.program ? product.program->outputs.size() : product.outputs.size());
  product.a = node.inputs[0];
  product.b = node.inputs[1];
  product.bias = node.input(2);
  if (operands > 0) product.operands.assign(node.inputs.begin() + kFirstOperand, node.inputs.end());
  return product;
}

void ProductNode::write(Node& node) const {
  node.domain = kDialect;
  node.op_type = op_type;
  node.inputs = {a, b};
  if (bias != kNone || !operands.empty()) node.inputs.push_back(bias);
  node.inputs.insert(node.inputs.end(), operands.begin(), operands.end());
  node.attributes.set(kADtype, static_cast<int64_t>(a_dtype));
  node.attributes.set(kAScale, a_scale);
  node.attributes.set(kAZeroPoint, int64_t{a_zero_point});
  node.attributes.set(kBScale, b_scale);
  node.attributes.set(kBZeroPoint, int64_t{b_zero_point});
  for (const char* mark : kEc) node.attributes.erase(mark);
  if (ec.a) mark_ec(node.attributes, 0);
  if (ec.b) mark_ec(node.attributes, 1);
  write_forms(node.attributes, kOutputs, outputs);
  FloatProgram::erase(node.attributes);
  if (program) program->write(node.attributes);
}

int ec_passes(const Node& node) { return ProductNode::is(node) ? EcOperands::read(node.attributes).passes() : 1; }

}  // namespace twofold
