// The graph of a backward sweep while it grows, and what its rules ask of the forward graph.
#ifndef TWOFOLD_SRC_GRADIENTS_BACKWARD_GRAPH_H_
#define TWOFOLD_SRC_GRADIENTS_BACKWARD_GRAPH_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradients/term.h"
#include "graph/graph.h"

namespace twofold {

class BackwardGraph {
 public:
  using AttributeList = std::vector<std::pair<std::string, Attribute>>;

  // Both must outlive it.
  BackwardGraph(const Graph& forward, const std::map<ValueId, Shape>& shapes);
  BackwardGraph(const BackwardGraph&) = delete;  // terms point to it
  BackwardGraph& operator=(const BackwardGraph&) = delete;

  const Graph& forward() const { return forward_; }
  // The shape of a forward value in the sample. Throws Error(kInvalidArgument) naming the value if it is not known.
  const Shape& shape(ValueId forward) const;
  // False for values that certainly hold no floats.
  bool is_float(ValueId forward) const;

  // A forward value: a constant stays one, any other becomes an input. Floats come as float32, whatever they are.
  Term value(ValueId forward);
  // The cotangent of an output that has this shape.
  Term cotangent(const Shape& shape);

  Term constant(Tensor tensor);
  Term scalar(float value);
  Term ints(const std::vector<int64_t>& values);
  Term zeros(const Shape& shape);
  // One node; its outputs, or the first of them. An undefined term is an omitted input.
  std::vector<Term> outputs(std::string_view op_type, const std::vector<Term>& inputs, const AttributeList& attributes,
                            int count);
  Term node(std::string_view op_type, const std::vector<Term>& inputs, const AttributeList& attributes = {});
  // The same with the attributes of a forward node.
  Term node(std::string_view op_type, const std::vector<Term>& inputs, const Attributes& attributes);

  // The graph so far, without inputs and outputs, to be finished by whoever leads the sweep.
  Graph graph;
  std::vector<ValueId> forward_values;  // that have become inputs, ...
  std::vector<ValueId> value_inputs;    // ... and these inputs
  std::vector<ValueId> cotangents;      // inputs

 private:
  // One that no other value has, without a search among those that begin alike.
  std::string new_name(std::string_view base) const;
  Term add(std::string_view op_type, const std::vector<Term>& inputs, Attributes attributes);
  ValueId import(ValueId forward);

  const Graph& forward_;
  const std::map<ValueId, Shape>& shapes_;
  std::vector<DType> types_;        // of forward values
  std::map<ValueId, Term> values_;  // by forward value
  std::map<float, ValueId> scalars_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_BACKWARD_GRAPH_H_
