// The same work in float32 on oneDNN, to compare with.
#ifndef TWOFOLD_BENCH_KERNELS_ONEDNN_H_
#define TWOFOLD_BENCH_KERNELS_ONEDNN_H_

#include <cstdint>
#include <functional>

namespace twofold::kernels {

// A two-dimensional convolution with 3x3 or 1x1 windows; a matrix product is one of 1x1 on `height * width` = M pixels.
struct Work {
  const char* name;
  int64_t height, width, channels, out_channels, kernel, stride, group;
  bool matmul;

  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
  // Multiplications.
  double macs() const {
    return static_cast<double>(out_height() * out_width() * out_channels) *
           static_cast<double>(channels / group * kernel * kernel);
  }
};

// A function that does the work once, on data that is packed already.
std::function<void()> onednn_float(const Work& work);

}  // namespace twofold::kernels

#endif  // TWOFOLD_BENCH_KERNELS_ONEDNN_H_
