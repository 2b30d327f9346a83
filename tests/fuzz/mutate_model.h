// Changes ONNX models the way that broken exporters, bad edits and hostile files do: inputs that are dropped or have no
// name, other types, attributes twice or out of all bounds, nodes that are gone.
#ifndef TWOFOLD_TESTS_FUZZ_MUTATE_MODEL_H_
#define TWOFOLD_TESTS_FUZZ_MUTATE_MODEL_H_

#include <onnx/onnx_pb.h>

#include <random>

namespace twofold::testing {

// One change at one place: of a node anywhere, in bodies and functions too, of a weight, an input, an output or the
// opset. The same random numbers make the same change.
void mutate(onnx::ModelProto& model, std::mt19937_64& random);

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_FUZZ_MUTATE_MODEL_H_
