// Whatever bytes are given, import makes a graph that export can write and import reads back, or throws twofold::Error.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "onnx/export.h"
#include "onnx/import.h"
#include "twofold/error.h"

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
