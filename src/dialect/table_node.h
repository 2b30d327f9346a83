// Table: y = table[x], what lowering makes of a function of one integer between DequantizeLinear and QuantizeLinear.
//
// Inputs: x, 8- or 16-bit integers; the table, a constant vector of 8- or 16-bit integers with an entry for each value
// of x's type, in ascending order. Output: y, of the table's type and x's shape, with dimensions of size 1 in front
// where it would have fewer than `least_rank`.
#ifndef TWOFOLD_SRC_DIALECT_TABLE_NODE_H_
#define TWOFOLD_SRC_DIALECT_TABLE_NODE_H_

#include <cstdint>
#include <string_view>

#include "graph/graph.h"

namespace twofold {

// A value.
struct TableNode {
  static constexpr std::string_view kOpType = "Table";

  ValueId x = kNone, table = kNone;
  int64_t least_rank = 0;

  static bool is(const Node& node);
  // REQUIRES: is(node).
  static TableNode read(const Node& node);
  void write(Node& node) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_TABLE_NODE_H_
