// Runs a model with one float32 input on a file of raw numbers:  run_model MODEL INPUT OUTPUT
// The first dimension is found from the size of the file where the model leaves it open.
#include <twofold/error.h>
#include <twofold/session.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: run_model MODEL INPUT OUTPUT\n");
    return 2;
  }
  const twofold::Session session(argv[1], {.threads = 1});

  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<char> raw{std::istreambuf_iterator<char>(file), {}};
  twofold::Shape shape = session.inputs().at(0).shape;
  if (!shape.empty() && shape[0] < 0) {
    shape[0] = 1;
    shape[0] = static_cast<int64_t>(raw.size() / sizeof(float)) / twofold::num_elements(shape);
  }
  // The numbers are read where they are: `raw` must outlive the run.
  const auto input = twofold::Tensor::wrap(twofold::DType::kFloat32, shape, raw.data(), nullptr);
  if (input.byte_size() != raw.size()) {
    std::fprintf(stderr, "error: %s does not hold whole samples\n", argv[2]);
    return 1;
  }

  const twofold::Tensor output = session.run({input}).at(0);
  std::printf("%s %s\n", session.outputs().at(0).name.c_str(), twofold::to_string(output.shape()).c_str());
  std::ofstream(argv[3], std::ios::binary)
      .write(reinterpret_cast<const char*>(output.bytes()), static_cast<std::streamsize>(output.byte_size()));
  return 0;
} catch (const twofold::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
