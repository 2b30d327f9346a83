// A model that runs.
#ifndef TWOFOLD_SESSION_H_
#define TWOFOLD_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "twofold/job.h"
#include "twofold/tensor.h"

namespace twofold {

struct SessionOptions {
  int threads = 0;  // 0: all cores
  // Names of tensors of the model that a KeptRun hands out and changes. What engines do fast they do by computing
  // several nodes at once, without the tensors in between; these are left out of that, at the price of some speed. The
  // results are the same to the bit. Whatever activation a plan quantizes can be watched, and constants that it
  // quantizes with one scale, by the name that they have in the plan.
  std::vector<std::string> watched = {};
  // Conv, ConvTranspose, MatMul and Gemm with an `ec` operand run on int8 as a device would, in two passes whose
  // accumulators are added up (four where both operands are ec), not in one of 16 bits. The results are the same to the
  // bit; it takes more time, and 8 bytes per pass and element of the result. Models without ec operands stay as they
  // are.
  bool ec_in_two_passes = false;
};

// An input or output of a model. Dimensions that are not fixed are -1.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
  bool known_rank = true;
};

class KeptRun;

// A loaded model: float, or quantized with QuantizeLinear/DequantizeLinear, in which case Conv, ConvTranspose, MatMul
// and Gemm between them run on exact integers (docs/numerics.md). Thread-safe: runs may overlap.
class Session {
 public:
  // Throws Error that names the file and, where it is to blame, the node; Error(kInvalidArgument) naming a watched
  // tensor that the model does not have, that is constant, or that the engine cannot compute apart from others.
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
  // session stays as it was. `cancelled` is asked before every node.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const Cancelled& cancelled = nullptr) const;

  // The same, and keeps the tensors that nodes compute for runs from the middle: in the order they are computed, up to
  // `memory_cap` bytes. What does not fit is computed again where it is needed. Throws as run().
  KeptRun keep(const std::vector<Tensor>& inputs, size_t memory_cap = std::numeric_limits<size_t>::max(),
               const Cancelled& cancelled = nullptr) const;

 private:
  friend class KeptRun;
  struct State;
  std::shared_ptr<const State> state_;
};

// One run of a session, which may be gone before it. A name stands for an input or a tensor of SessionOptions::watched.
// Where the engine has only the integers of a float32 tensor that the model quantizes, value() gives what they stand
// for, the finest where there are several, and run_from() quantizes what it is given, to each precision that is read.
// Of elements that are given as value() gives them the integers stay as they are. Thread-safe: calls may overlap.
//
// Functions that take a name throw Error(kInvalidArgument) for any other one.
class KeptRun {
 public:
  ~KeptRun();
  KeptRun(KeptRun&&) noexcept;
  KeptRun& operator=(KeptRun&&) noexcept;

  // Of the run, in the order of Session::outputs().
  const std::vector<Tensor>& outputs() const;
  // Bytes of kept tensors, inputs and outputs not among them.
  size_t kept_bytes() const;
  // A tensor of the run.
  Tensor value(const std::string& name, const Cancelled& cancelled = nullptr) const;

  // The outputs as they are if the tensors named in `changed` have come out so: the same bits as those of a whole run.
  // Runs only nodes that depend on a change, and those whose results are needed and were not kept.
  // Throws Error(kInvalidArgument) for a tensor of another dtype or shape than the run's, and as run().
  std::vector<Tensor> run_from(const std::map<std::string, Tensor>& changed,
                               const Cancelled& cancelled = nullptr) const;
  // How many nodes run_from() runs for a change of these.
  int64_t nodes_to_run(const std::vector<std::string>& names) const;

 private:
  friend class Session;
  struct State;
  explicit KeptRun(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace twofold

#endif  // TWOFOLD_SESSION_H_
