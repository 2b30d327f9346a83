// Groups of tensors that operators move integers between: what moves them, and who reads them.
#ifndef TWOFOLD_SRC_QUANTIZE_MOVER_GROUPS_H_
#define TWOFOLD_SRC_QUANTIZE_MOVER_GROUPS_H_

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"
#include "quantize/scale_groups.h"

namespace twofold {

// An input of a mover that a scale goes through.
using MoverInput = std::pair<NodeId, int>;

// Who reads a value of a group.
struct GroupReaders {
  std::vector<size_t> direct;      // operands of the plan that compute with its integers, or make them at an output
  std::vector<MoverInput> movers;  // of the group
  bool as_float = false;           // something reads what the integers stand for
};

// A node that moves the integers of a group, which all its data outputs belong to.
struct Mover {
  NodeId node = kNone;
  std::vector<MoverInput> inputs;
  std::vector<ValueId> outputs;
  QType qtype = QType::kInt8;
};

struct MoverGroup {
  std::map<ValueId, GroupReaders> values;
  std::vector<Mover> movers;  // producers before consumers
  bool asymmetric = true;     // all its operands
};

// The groups that have a mover, by their representative.
std::map<ValueId, MoverGroup> mover_groups(const Graph& graph, const Plan& plan, const ScaleGroups& groups);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_MOVER_GROUPS_H_
