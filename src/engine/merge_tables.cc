#include "engine/merge_tables.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "dialect/elementwise_node.h"
#include "dialect/table_node.h"
#include "engine/all_integers.h"

namespace twofold {

namespace {

// A value every element of which is a function of the 8-bit integer at the same place of another value.
struct Function {
  ValueId of = kNone;
  Tensor table;      // of all integers, in ascending order; empty for `of` itself
  int64_t rank = 0;  // the least that broadcasting gives the result
  int source = -1;   // what it stands for (Sources); -1: nothing yet
};

// Which nodes of the file each function stands for: some of its own, behind those of the functions in front of it. Kept
// as a graph, since the lists, written out for each table of a long chain, would take the square of its length.
class Sources {
 public:
  int add(std::vector<int> in_front, std::vector<std::string> own) {
    entries_.push_back({std::move(in_front), std::move(own)});
    return static_cast<int>(entries_.size()) - 1;
  }

  // Every name once, those in front first.
  std::vector<std::string> names(int source) const {
    std::vector<std::string> result;
    std::unordered_set<std::string_view> known;
    std::vector<bool> seen(entries_.size(), false);
    std::vector<std::pair<int, size_t>> path = {{source, 0}};  // and how many in front of each are done
    while (!path.empty()) {
      auto& [at, done] = path.back();
      const Entry& entry = entries_[static_cast<size_t>(at)];
      if (done < entry.in_front.size()) {
        const int next = entry.in_front[done++];
        if (next >= 0 && !seen[static_cast<size_t>(next)]) path.emplace_back(next, 0);
        continue;
      }
      seen[static_cast<size_t>(at)] = true;
      for (const std::string& name : entry.own) {
        if (known.insert(name).second) result.push_back(name);
      }
      path.pop_back();
    }
    return result;
  }

 private:
  struct Entry {
    std::vector<int> in_front;
    std::vector<std::string> own;
  };

  std::vector<Entry> entries_;
};

// The table behind another one.
template <typename X>
Tensor composed(const Tensor& first, const Tensor& table) {
  const size_t bytes = byte_size(table.dtype());
  Tensor result(table.dtype(), first.shape());
  std::byte* to = result.mutable_bytes();
  for (const X x : first.data<X>()) {
    const auto entry = static_cast<size_t>(int32_t{x} - std::numeric_limits<X>::min());
    to = std::copy_n(table.bytes() + entry * bytes, bytes, to);
  }
  return result;
}

Tensor composed(const Tensor& first, const Tensor& table) {
  switch (first.dtype()) {
    case DType::kInt8: return composed<int8_t>(first, table);
    case DType::kUInt8: return composed<uint8_t>(first, table);
    case DType::kInt16: return composed<int16_t>(first, table);
    default: return composed<uint16_t>(first, table);
  }
}

class TableMerger {
 public:
  TableMerger(Graph& graph, const ChainFinder& chains) : graph_(graph), chains_(chains) {}

  bool merge(NodeId id) {
    if (TableNode::is(graph_.node(id))) return merge_table(id);
    return ElementwiseNode::is(graph_.node(id)) && merge_elementwise(id);
  }

  // Adds the nodes that look functions up. Those that are dead, which is all but one of a chain, get no list of names.
  void finish() {
    for (LookUp& look_up : look_ups_) {
      if (is_needed(look_up.node.outputs[0])) look_up.node.origins = sources_.names(look_up.source);
      graph_.add_node(std::move(look_up.node));
    }
  }

 private:
  struct LookUp {
    Node node;
    int source;
  };

  // Readers that are dead themselves (a DequantizeLinear in front of a table) do not count.
  bool is_needed(ValueId result) const {
    return graph_.is_output(result) || chains_.is_watched(result) ||
           std::ranges::any_of(graph_.consumers(result), [this](NodeId reader) { return !is_dead(reader); });
  }
  bool is_dead(NodeId id) const {
    return std::ranges::all_of(graph_.node(id).outputs, [this](ValueId output) {
      return output == kNone ||
             (graph_.consumers(output).empty() && !graph_.is_output(output) && !chains_.is_watched(output));
    });
  }

  // What is known of the value, or that it is one of itself.
  Function function(ValueId id) const {
    const auto known = functions_.find(id);
    return known != functions_.end() ? known->second : Function{id, {}, 0, -1};
  }

  // Puts the node that looks `f` up in the place of what computed `result`, and remembers it for those behind.
  void look_up(const Function& f, ValueId result, const std::string& name) {
    look_ups_.push_back({table_node(graph_, name, f.of, f.table, result, f.rank), f.source});
    remember(f, result);
  }

  void remember(const Function& f, ValueId result) {
    if (!chains_.is_watched(result)) functions_[result] = f;
  }

  bool merge_table(NodeId id) {
    const Node node = graph_.node(id);
    const TableNode read = TableNode::read(node);
    const Tensor& table = *graph_.constant(read.table);
    Function f = function(read.x);
    const bool is_first = f.table.size() == 0;
    if (is_first && table.size() != 256) return false;
    f.table = is_first ? table : composed(f.table, table);
    f.source = sources_.add({f.source}, node.origins);
    if (is_first) {
      remember(f, node.outputs[0]);
      return false;
    }
    graph_.remove_node(id);
    look_up(f, node.outputs[0], node.name);
    return true;
  }

  // The node's inputs for all integers of the one value that they are functions of, which `f` then names; `in_front`
  // are the sources of those.
  std::optional<std::vector<Tensor>> inputs_for_all(const Node& node, const std::vector<StoredForm>& forms, Function& f,
                                                    std::vector<int>& in_front) const {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (const Tensor* constant = graph_.constant(node.inputs[i])) {
        if (constant->size() != 1 || constant->rank() > 1) return std::nullopt;
        inputs.push_back(constant->reshaped({}));
        f.rank = std::max<int64_t>(f.rank, constant->rank());
        continue;
      }
      const Function input = function(node.inputs[i]);
      const bool is_first = input.table.size() == 0;
      if (f.of != kNone && f.of != input.of) return std::nullopt;
      if (is_first && (byte_size(forms[i].dtype) != 1 || forms[i].dtype == DType::kBool)) return std::nullopt;
      inputs.push_back(is_first ? all_integers(forms[i].dtype) : input.table);
      f.of = input.of;
      f.rank = std::max(f.rank, input.rank);
      in_front.push_back(input.source);
    }
    return f.of != kNone ? std::optional(std::move(inputs)) : std::nullopt;
  }

  bool merge_elementwise(NodeId id) {
    const Node node = graph_.node(id);
    const ElementwiseNode read = ElementwiseNode::read(node);
    const FloatProgram& program = read.program;
    if (std::ranges::any_of(program.outputs, [](const StoredForm& form) { return form.dtype == DType::kFloat32; }))
      return false;
    std::vector<StoredForm> forms = {read.source};
    forms.insert(forms.end(), program.operands.begin(), program.operands.end());
    Function f;
    std::vector<int> in_front;
    const auto inputs = inputs_for_all(node, forms, f, in_front);
    if (!inputs) return false;
    f.source = sources_.add(std::move(in_front), node.origins);
    std::vector<Tensor> tables = run_elementwise(program, read.source, *inputs);
    graph_.remove_node(id);
    for (size_t i = 0; i < tables.size(); ++i) {
      f.table = std::move(tables[i]);
      look_up(f, node.outputs[i], node.name);
    }
    return true;
  }

  Graph& graph_;
  const ChainFinder& chains_;
  std::map<ValueId, Function> functions_;
  Sources sources_;
  std::vector<LookUp> look_ups_;
};

}  // namespace

int merge_tables(Graph& graph, const ChainFinder& chains) {
  TableMerger merger(graph, chains);
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (merger.merge(id)) ++count;
  }
  merger.finish();
  return count;
}

}  // namespace twofold
