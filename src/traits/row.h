// How a row of the traits is written down: `Row(op::kAbs).data(kFirst).does(kElementwise).quantized()`.
#ifndef TWOFOLD_SRC_TRAITS_ROW_H_
#define TWOFOLD_SRC_TRAITS_ROW_H_

#include <array>
#include <string_view>

#include "traits/op_traits.h"

namespace twofold {

// Each function says one fact, of which OpTraits has the meaning; what no function says is as OpTraits has it.
class Row {
  // First, since Clang 14 computes no constant with a template of a class that is defined further below.
  template <typename T>
  constexpr Row with(T OpTraits::*fact, T value) const {
    Row row = *this;
    row.traits_.*fact = value;
    return row;
  }

 public:
  constexpr explicit Row(std::string_view op_type) { traits_.op_type = op_type; }
  constexpr operator OpTraits() const { return traits_; }  // NOLINT: a row is its traits

  constexpr Row inputs(std::string_view pattern) const { return with(&OpTraits::inputs, pattern); }
  constexpr Row outputs(int least, int most) const {
    return with(&OpTraits::min_outputs, least).with(&OpTraits::max_outputs, most);
  }
  constexpr Row needs(std::string_view attribute, std::string_view another = {}) const {
    return with(&OpTraits::required_attributes, std::array{attribute, another});
  }
  constexpr Row data(DataInputs inputs) const { return with(&OpTraits::data, inputs); }
  constexpr Row does(Effect effect) const { return with(&OpTraits::effect, effect); }
  constexpr Row shape(ShapeRule rule) const { return with(&OpTraits::shape, rule); }
  constexpr Row slices(Slices slices) const { return with(&OpTraits::slices, slices); }
  constexpr Row takes(int types) const { return with(&OpTraits::takes, static_cast<uint8_t>(types)); }
  constexpr Row quantized() const { return with(&OpTraits::quantized, true); }
  constexpr Row ec(int inputs) const { return with(&OpTraits::ec, static_cast<uint8_t>(inputs)); }
  constexpr Row all_outputs() const { return with(&OpTraits::all_outputs, true); }
  constexpr Row fills() const { return with(&OpTraits::fills, true); }
  constexpr Row never_negative() const { return with(&OpTraits::never_negative, true); }
  constexpr Row homogeneous() const { return with(&OpTraits::homogeneous, true); }
  constexpr Row stays() const { return with(&OpTraits::folds, false); }
  constexpr Row type(TypeRule rule) const { return with(&OpTraits::type, rule); }
  constexpr Row type_attribute(std::string_view name) const { return with(&OpTraits::type_attribute, name); }
  constexpr Row other_types(TypeRule rule) const { return with(&OpTraits::other_types, rule); }
  constexpr Row since(int opset) const { return with(&OpTraits::opset, opset); }
  constexpr Row by_name_only() const { return with(&OpTraits::runs, false).takes(0); }

 private:
  OpTraits traits_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_TRAITS_ROW_H_
