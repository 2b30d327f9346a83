// A graph made ready to run: what Executor and KeptValues share.
#ifndef TWOFOLD_SRC_ENGINE_PROGRAM_H_
#define TWOFOLD_SRC_ENGINE_PROGRAM_H_

#include <memory>
#include <mutex>
#include <vector>

#include "base/content_hash.h"
#include "engine/buffer_pool.h"
#include "engine/executor.h"
#include "engine/kernel_cache.h"

namespace twofold {

// One input of a step: where its tensor comes from, and the layout the kernel wants.
struct Argument {
  ValueId value = kNone;
  const Tensor* constant = nullptr;
  enum class Want : uint8_t { kPlain, kChannelsLast, kAny } want = Want::kPlain;
};

// One node made ready: its kernel and the values it reads for the last time.
struct Step {
  NodeId node;
  std::shared_ptr<const Kernel> kernel;
  std::vector<Argument> arguments;
  std::vector<ValueId> last_uses;
};

struct Executor::Program {
  // With `cache`, the program takes kernels and buffers that others of the same options have, and knows its keys;
  // with `part_inputs` those of a part of another graph, whose inputs have these.
  Program(Graph given, ExecutorOptions with, ProgramCache* cache = nullptr,
          const std::vector<ContentHash>* part_inputs = nullptr);

  Graph graph;  // with fused nodes; value ids are those of the graph given
  const ExecutorOptions options;
  std::vector<bool> watched;
  std::vector<ContentHash> keys;  // structural, by ValueId; empty without a cache
  std::vector<Step> steps;        // in topological order
  std::vector<ValueId> watched_constants;
  BufferPool pool;
  std::mutex profile_mutex;
  std::vector<NodeProfile> profile;  // one per step, if asked for

  // Throws Error(kInvalidArgument) where the number of inputs is not the graph's.
  void check_inputs(const std::vector<Tensor>& inputs) const;

 private:
  Step make_step(NodeId id, ProgramCache* cache) const;
  void drop_packed_constants();
};

// Throws `error` again with the node's name in front.
[[noreturn]] void throw_at(const Node& node, const Error& error);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_PROGRAM_H_
