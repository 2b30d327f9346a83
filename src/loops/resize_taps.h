// Where each position along one resized axis takes its value from: the coordinate rules of ONNX Resize.
#ifndef TWOFOLD_SRC_LOOPS_RESIZE_TAPS_H_
#define TWOFOLD_SRC_LOOPS_RESIZE_TAPS_H_

#include <cstdint>
#include <string>

#include "kernels/aligned_buffer.h"

namespace twofold {

enum class CoordinateMode {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize
};
enum class NearestMode { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class Interpolation { kNearest, kLinear, kCubic };

// Each from ONNX's word for it; throws Error(kInvalidModel).
CoordinateMode parse_coordinate_mode(const std::string& word);
NearestMode parse_nearest_mode(const std::string& word);
Interpolation parse_interpolation(const std::string& word);

// One axis of a Resize.
struct ResizeAxis {
  int64_t in = 1, out = 1;           // sizes
  float scale = 1;                   // out / in as the model states it
  float length = 1;                  // scale * in before it is cut to `out`
  bool by_size = false;              // scale and length are out / in and out, rounded
  float roi_begin = 0, roi_end = 1;  // kTfCropAndResize only, as fractions of the axis
};

// How all axes are resized.
struct ResizeRule {
  Interpolation interpolation = Interpolation::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  float cubic_a = -0.75F;
  bool exclude_outside = false;
  bool antialias = false;
};

// out[x] = Σ_t weight[t * out + x] · in[index[t * out + x]], added in the order of t. `count` taps for each position.
struct ResizeTaps {
  int64_t in = 1, out = 1;
  int64_t count = 1;
  kernels::AlignedVector<int32_t> index;
  kernels::AlignedVector<float> weight;     // empty for nearest: one tap of weight 1
  kernels::AlignedVector<uint8_t> outside;  // kTfCropAndResize: positions that take the extrapolation value; else empty
};

// The tables come from `allocator`, which must outlive them, or from the heap without one.
// REQUIRES: axis.in > 0, axis.out >= 0, both below 2^31; scale positive and finite.
ResizeTaps make_resize_taps(const ResizeRule& rule, const ResizeAxis& axis, Allocator* allocator);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_RESIZE_TAPS_H_
