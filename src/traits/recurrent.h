// The operators with a state that they carry from step to step: LSTM, GRU, RNN.
#ifndef TWOFOLD_SRC_TRAITS_RECURRENT_H_
#define TWOFOLD_SRC_TRAITS_RECURRENT_H_

#include <string_view>

#include "graph/graph.h"

namespace twofold {

// The domain is not looked at.
bool is_recurrent(std::string_view op_type);

// True for nodes of ONNX's own domain only.
bool is_recurrent(const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_TRAITS_RECURRENT_H_
