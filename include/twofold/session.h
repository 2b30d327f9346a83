// A model that runs.
#ifndef TWOFOLD_SESSION_H_
#define TWOFOLD_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

struct SessionOptions {
  int threads = 0;  // 0: all cores
};

// An input or output of a model. Dimensions that are not fixed are -1.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
  bool known_rank = true;
};

// Asked before every node of a run, in the thread that called it: true ends the run with Error(kCancelled), and what it
// throws comes out of the run. So a run ends within the time of one node. To end it from elsewhere, for instance:
// [token = source.get_token()] { return token.stop_requested(); }
using Cancelled = std::function<bool()>;

// A loaded model: float, or quantized with QuantizeLinear/DequantizeLinear, in which case Conv, ConvTranspose, MatMul
// and Gemm between them run on exact integers (docs/numerics.md). Thread-safe: runs may overlap.
class Session {
 public:
  // Throws Error that names the file and, where it is to blame, the node.
  explicit Session(const std::filesystem::path& model, const SessionOptions& options = {});
  // A model in memory; external data is looked for in `folder`.
  Session(std::span<const std::byte> model, const std::filesystem::path& folder, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;

  // Inputs and outputs in the order of inputs() and outputs().
  // Throws Error(kInvalidArgument) that names the input whose dtype or shape does not fit. Whatever a run throws, the
  // session stays as it was.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const Cancelled& cancelled = nullptr) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace twofold

#endif  // TWOFOLD_SESSION_H_
