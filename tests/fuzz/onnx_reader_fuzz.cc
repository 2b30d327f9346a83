// Whatever bytes are given, import makes a graph that export can write and import reads back, or throws twofold::Error.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>

#include "fuzz/mutate_model.h"
#include "onnx/export.h"
#include "onnx/import.h"
#include "twofold/error.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Half of the time models are changed as models are, inputs dropped and attributes twice; else bytes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  onnx::ModelProto model;
  if (seed % 2 == 0 && model.ParseFromArray(data, static_cast<int>(size))) {
    std::mt19937_64 random(seed);
    twofold::testing::mutate(model, random);
    const std::string bytes = model.SerializeAsString();
    if (bytes.size() <= max_size) {
      std::copy(bytes.begin(), bytes.end(), data);
      return bytes.size();
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twofold;
  static const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("twofold_onnx_reader_fuzz." + std::to_string(::getpid()));
  Graph graph;
  try {
    graph = import_onnx_bytes(std::as_bytes(std::span(data, size)), "model", {});
  } catch (const Error&) {
    return 0;
  }
  try {
    export_onnx(graph, path, {.uint8_activations = true});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    return 0;
  }
  import_onnx(path);
  return 0;
}
