// Where the channels of a tensor can be scaled without a change of what the model computes.
#ifndef TWOFOLD_SRC_QUANTIZE_EQUALIZATION_SITES_H_
#define TWOFOLD_SRC_QUANTIZE_EQUALIZATION_SITES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "infer/infer_types.h"

namespace twofold {

// The channel that each element of an array belongs to: its index along one axis, of which `repeat` neighbours make a
// channel. With groups, each `group_size` elements are an array of its own, with channels of its own.
struct ChannelMap {
  int64_t inner = 1;       // elements behind one index of the axis
  int64_t dim = 1;         // indices of the axis
  int64_t group_size = 1;  // elements; without groups, all
  int64_t repeat = 1;

  int64_t channel(int64_t element) const { return (element / inner % dim + dim * (element / group_size)) / repeat; }
};

// Calls body(channel, numbers) for all numbers, neighbours of one channel at a time.
template <typename T, typename Body>
void for_each_channel(const ChannelMap& map, std::span<T> numbers, const Body& body) {
  for (size_t i = 0; i < numbers.size(); i += static_cast<size_t>(map.inner)) {
    body(static_cast<size_t>(map.channel(static_cast<int64_t>(i))), numbers.subspan(i, static_cast<size_t>(map.inner)));
  }
}

// Where the channels run in a tensor whose shape is known when it is there.
struct ChannelAxis {
  int axis = -1;  // from the back
  int64_t repeat = 1;
  int rank = -1;  // -1: unknown

  ChannelMap map(const Shape& shape) const;
};

// A constant input of a node, with the channels of the site.
struct ChannelConstant {
  NodeId node = kNone;
  int input = 0;
  ChannelMap map;
};

// A tensor, what computes it and all that reads it:
//
//   producer ── tensor ── operators that commute with scaling ── products with a constant weight
//   W, b / s              (a constant that is added: / s)           W * s, by input channel
//
// Producers: Conv, ConvTranspose, Gemm, MatMul with a constant weight (output channels of it and of the bias), the
// normalizations with constant scale and bias, Mul by a constant with one number per channel. Commuting: operators that
// traits call homogeneous, Mul and Div by a constant, Add and Sub of a constant per channel, and movers as far as the
// channels stay together. Every reader at the end is a product, and nothing in between is an output of the model
// (M. Nagel et al., 2019, "Data-Free Quantization through Weight Equalization and Bias Correction", section 4.1;
// G. Xiao et al., 2022, "SmoothQuant", section 4).
//
// Where a tensor is computed or read otherwise, a Mul in front of the MatMuls and Gemms, or of the depthwise Convs,
// that read it divides:
//
//   tensor ─┬─ Mul by 1 / s ── products with a constant weight W * s
//           └─ other readers
struct EqualizationSite {
  struct ScaledTensor {
    ValueId value = kNone;
    ChannelAxis axis;
    bool is_read = false;  // by a product
  };

  int64_t channels = 0;
  bool inserted = false;                 // a Mul of its own divides
  std::vector<NodeId> nodes;             // the producer, then the others, in graph order; of a Mul the products alone
  std::vector<ScaledTensor> tensors;     // the producer's output first; the one that a Mul divides
  std::vector<ChannelConstant> divided;  // what the tensor's channels are made of
  std::vector<ChannelConstant> multiplied;  // weights of the products

  ValueId tensor() const { return tensors.front().value; }
};

// Finds sites in one graph, of which constants may be others than those of the graph later.
class EqualizationSites {
 public:
  // The graph must outlive the object.
  explicit EqualizationSites(const Graph& graph);

  // The site whose tensor is output 0 of the node. Throws Error(kInvalidArgument) "tensor 't': why there is none".
  EqualizationSite at(NodeId producer) const;
  // The site of a Mul in front of products that read the tensor. Throws likewise.
  EqualizationSite in_front_of_readers(ValueId tensor) const;
  // All, in graph order, those of a Mul behind the others; what is part of a larger one is none of its own.
  std::vector<EqualizationSite> all() const;

 private:
  void add_inserted(std::vector<EqualizationSite>& sites) const;
  EqualizationSite in_order(EqualizationSite site) const;

  const Graph& graph_;
  const std::vector<InferredType> types_;
  std::vector<size_t> positions_;  // by NodeId: in topological order
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_EQUALIZATION_SITES_H_
