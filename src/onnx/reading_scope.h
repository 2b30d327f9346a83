// What a graph of a file is read into, and where names are looked up meanwhile.
#ifndef TWOFOLD_SRC_ONNX_READING_SCOPE_H_
#define TWOFOLD_SRC_ONNX_READING_SCOPE_H_

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "onnx/function_table.h"

namespace twofold {

// A graph while it is read, and the opset version each of its nodes was written for.
struct GraphInReading {
  Graph graph;
  std::vector<std::pair<NodeId, int64_t>> versions;
  std::unordered_map<std::string, int> suffixes;  // the next number to try behind a node name that is taken
};

using Arguments = std::map<std::string, onnx::AttributeProto*, std::less<>>;

// Where the names of a list of nodes are looked up: a graph, a body or the inlined call of a function.
struct Scope {
  GraphInReading* target;
  const Opsets* opsets;
  Scope* outer = nullptr;                // of a body: what is not found here is captured from there
  const Arguments* arguments = nullptr;  // inside a function: the attributes of the call
  std::vector<std::string> calls = {};   // the nodes being inlined, outermost first
  std::string prefix = {};               // before names of nodes and values, inside a function
  std::string path = {};                 // before names of nodes in OriginsByNode, inside a body
  int depth = 0;                         // bodies around the nodes
  std::unordered_map<std::string_view, ValueId> names = {};
  std::unordered_map<std::string_view, const onnx::TypeProto*> types = {};
  std::vector<std::pair<ValueId, ValueId>> captures = {};  // of a body: outer value, inner value

  Graph& graph() const { return target->graph; }
};

struct Body {
  std::string attribute;
  std::shared_ptr<GraphInReading> target;
  std::vector<std::pair<ValueId, ValueId>> captures;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_READING_SCOPE_H_
