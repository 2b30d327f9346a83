#include "arrays.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include "base/error.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

using Code = nb::dlpack::dtype_code;

constexpr std::pair<DType, nb::dlpack::dtype> kTypes[] = {
    {DType::kFloat32, {static_cast<uint8_t>(Code::Float), 32, 1}},
    {DType::kFloat64, {static_cast<uint8_t>(Code::Float), 64, 1}},
    {DType::kFloat16, {static_cast<uint8_t>(Code::Float), 16, 1}},
    {DType::kInt8, {static_cast<uint8_t>(Code::Int), 8, 1}},
    {DType::kInt16, {static_cast<uint8_t>(Code::Int), 16, 1}},
    {DType::kInt32, {static_cast<uint8_t>(Code::Int), 32, 1}},
    {DType::kInt64, {static_cast<uint8_t>(Code::Int), 64, 1}},
    {DType::kUInt8, {static_cast<uint8_t>(Code::UInt), 8, 1}},
    {DType::kUInt16, {static_cast<uint8_t>(Code::UInt), 16, 1}},
    {DType::kUInt32, {static_cast<uint8_t>(Code::UInt), 32, 1}},
    {DType::kUInt64, {static_cast<uint8_t>(Code::UInt), 64, 1}},
    {DType::kBool, {static_cast<uint8_t>(Code::Bool), 8, 1}},
};

// NumPy has no bfloat16 of its own; the package ml_dtypes adds one.
bool is_bfloat16(nb::handle array) { return nb::cast<std::string>(array.attr("dtype").attr("name")) == "bfloat16"; }

bool has_numbers(nb::handle array) {
  return std::string_view("biufc").find(nb::cast<std::string>(array.attr("dtype").attr("kind"))) !=
         std::string_view::npos;
}

// The array itself, or a copy of it where it is not C-contiguous, or its elements are not aligned.
nb::object dense(nb::handle array) {
  const nb::module_ numpy = nb::module_::import_("numpy");
  const nb::object contiguous = numpy.attr("ascontiguousarray")(array);
  return nb::cast<bool>(contiguous.attr("flags").attr("aligned")) ? contiguous : contiguous.attr("copy")();
}

// What another package made, or nested lists, as a NumPy array.
nb::object numpy_array(nb::handle value, const std::string& name) {
  try {
    return nb::module_::import_("twofold._arrays").attr("as_array")(value);
  } catch (const nb::python_error& error) {  // of a ragged list, or a tensor on another device
    const std::string why = nb::cast<std::string>(nb::str(error.value()));
    throw_error(ErrorCode::kInvalidArgument, "input '{}' is not an array of numbers: {}", name,
                why.substr(0, why.find('\n')));
  }
}

}  // namespace

Tensor to_tensor(nb::handle value, const std::string& name) {
  const nb::object array = numpy_array(value, name);
  if (is_bfloat16(array)) {
    const Tensor bits = to_tensor(array.attr("view")("uint16"), name);
    return Tensor::wrap(DType::kBFloat16, bits.shape(), bits.bytes(), std::make_shared<Tensor>(bits));
  }
  nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu> view;
  if (!has_numbers(array) || !nb::try_cast(dense(array), view)) {
    throw_error(ErrorCode::kInvalidArgument, "input '{}' is not an array of numbers, but of {}", name,
                nb::cast<std::string>(array.attr("dtype").attr("name")));
  }
  for (const auto& [dtype, code] : kTypes) {
    if (view.dtype() != code) continue;
    Shape shape;
    for (size_t i = 0; i < view.ndim(); ++i) shape.push_back(static_cast<int64_t>(view.shape(i)));
    // ascontiguousarray turns a scalar into one element.
    if (nb::len(nb::module_::import_("numpy").attr("shape")(array)) == 0) shape.clear();
    // The last reference may go in a thread without the GIL.
    auto* keep = new decltype(view)(view);
    const std::shared_ptr<const void> owner(keep, [](const void* p) {
      const nb::gil_scoped_acquire gil;
      delete static_cast<const decltype(view)*>(p);
    });
    return Tensor::wrap(dtype, std::move(shape), view.data(), owner);
  }
  throw_error(ErrorCode::kInvalidArgument, "input '{}' has an element type that Twofold does not know", name);
}

namespace {

// A NumPy array over the bytes, whoever else has them.
Array array_over(Tensor tensor) {
  const nb::dlpack::dtype* code = nullptr;
  for (const auto& entry : kTypes) {
    if (entry.first == tensor.dtype()) code = &entry.second;
  }
  if (code == nullptr) {
    throw_error(ErrorCode::kUnsupported, "NumPy has no type {}", to_string(tensor.dtype()));
  }
  std::vector<size_t> shape(tensor.shape().begin(), tensor.shape().end());
  auto* keep = new Tensor(std::move(tensor));
  const nb::capsule owner(keep, [](void* p) noexcept { delete static_cast<Tensor*>(p); });
  return nb::borrow<Array>(nb::cast(nb::ndarray<nb::numpy>(const_cast<std::byte*>(keep->bytes()), shape.size(),
                                                           shape.data(), owner, nullptr, *code)));
}

Array array_of_any_type(Tensor tensor) {
  if (tensor.dtype() != DType::kBFloat16) return array_over(std::move(tensor));
  const Shape shape = tensor.shape();
  const auto owner = std::make_shared<Tensor>(std::move(tensor));
  const Array bits = array_over(Tensor::wrap(DType::kUInt16, shape, owner->bytes(), owner));
  return nb::borrow<Array>(bits.attr("view")(nb::module_::import_("ml_dtypes").attr("bfloat16")));
}

}  // namespace

Array to_array(Tensor tensor) {
  // Writing to the array must change nothing else: an output may be a constant of the model, an input or another
  // output.
  tensor.mutable_bytes();
  return array_of_any_type(std::move(tensor));
}

Array to_read_only_array(Tensor tensor) {
  const Array array = array_of_any_type(std::move(tensor));
  array.attr("setflags")("write"_a = false);
  return array;
}

}  // namespace twofold::python
