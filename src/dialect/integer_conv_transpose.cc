// The kernel of IntegerConvTranspose (product_node.h). Where the windows tile the output it is one matrix product,
// whose rows are put in their places afterwards; else a convolution over the input with zeros between its elements.
#include <algorithm>
#include <cstring>
#include <optional>

#include "base/parallel_for.h"
#include "dialect/domain.h"
#include "dialect/ec_product.h"
#include "dialect/families.h"
#include "dialect/integer_convolution.h"
#include "ops/transposed_window.h"

namespace twofold {

namespace {

int64_t product_of(std::span<const int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes) product *= size;
  return product;
}

std::span<const int64_t> spatial_of(const Tensor& tensor) { return std::span(tensor.shape()).subspan(2); }

// [C,M/G,k...] -> [M,C/G,k... reversed]: the weights of the convolution that computes the same.
template <typename T>
Tensor as_conv_weights(const Tensor& weights, int64_t group, Allocator* allocator) {
  const int64_t in = weights.dim(0) / group, out = weights.dim(1), taps = product_of(spatial_of(weights));
  Shape shape = weights.shape();
  shape[0] = out * group;
  shape[1] = in;
  Tensor result(weights.dtype(), std::move(shape), Layout::kPlain, allocator);
  const T* from = reinterpret_cast<const T*>(weights.bytes());
  T* to = reinterpret_cast<T*>(result.mutable_bytes());
  for (int64_t m = 0; m < out * group; ++m) {
    for (int64_t c = 0; c < in; ++c) {
      const T* window = from + ((m / out * in + c) * out + m % out) * taps;
      std::reverse_copy(window, window + taps, to + (m * in + c) * taps);
    }
  }
  return result;
}

// [C,M,k...] -> [C,k...,M].
template <typename T>
Tensor as_tiles(const Tensor& weights) {
  const int64_t in = weights.dim(0), out = weights.dim(1), taps = product_of(spatial_of(weights));
  Tensor result(weights.dtype(), {in, taps * out});
  const T* from = reinterpret_cast<const T*>(weights.bytes());
  T* to = reinterpret_cast<T*>(result.mutable_bytes());
  for (int64_t c = 0; c < in; ++c) {
    for (int64_t m = 0; m < out; ++m) {
      for (int64_t k = 0; k < taps; ++k) to[(c * taps + k) * out + m] = *from++;
    }
  }
  return result;
}

kernels::ConvAxis upsampled_axis(const WindowAxis& axis) {
  return {.size = axis.input,
          .kernel = axis.kernel,
          .stride = 1,
          .dilation = axis.dilation,
          .pad = (axis.kernel - 1) * axis.dilation - axis.pad_begin,
          .outputs = axis.output,
          .upsampling = axis.stride};
}

// The product of [pixels, C] with [C, taps * M].
struct Tiles {
  kernels::PackedB b;
  kernels::Requantizer requantizer;
};

class IntegerConvTranspose final : public Kernel {
 public:
  explicit IntegerConvTranspose(const KernelArgs& args)
      : product_(args),
        window_(TransposedWindow::read(args.node.attributes)),
        group_(args.node.attributes.get_int("group", 1)) {
    if (group_ < 1) throw_error(ErrorCode::kInvalidModel, "group {} must be at least 1", group_);
    const Tensor* weights = args.constants[1];
    if (weights == nullptr) return;
    check_weights(*weights);
    if (group_ == 1 && product_.node.operands.empty() && weights->size() > 0 && window_.tiles(spatial_of(*weights))) {
      tiles_.emplace(prepare_tiles(*weights));
    } else {
      conv_.emplace(prepare_conv(*weights, nullptr));
    }
  }

  void run(OpCall& call) const override {
    const Tensor &x = call.input(0), &weights = call.input(1);
    const int spatial = spatial_rank(x.shape(), "input X");
    check_weights(weights);
    if (weights.rank() != spatial + 2 || weights.dim(0) != x.dim(1)) {
      throw_error(ErrorCode::kInvalidModel, "input W {} does not fit input X {}", to_string(weights.shape()),
                  to_string(x.shape()));
    }
    const std::vector<WindowAxis> axes = window_.axes(x.shape(), spatial_of(weights));
    Shape shape = {x.dim(0), weights.dim(1) * group_};
    for (const WindowAxis& axis : axes) shape.push_back(axis.output);
    if (tiles_) return run_tiles(call, shape);
    ProductOutputs outputs(product_, call, shape, 1, Layout::kChannelsLast);
    if (num_elements(shape) == 0) return outputs.finish();
    std::array<kernels::ConvAxis, 3> upsampled;
    std::ranges::transform(axes, upsampled.end() - spatial, upsampled_axis);
    std::optional<kernels::Conv> own;
    const kernels::Conv& conv = conv_ ? *conv_ : own.emplace(prepare_conv(weights, call.allocator()));
    run_conv(product_, conv, x, upsampled, outputs);
    outputs.finish();
  }

  bool reads_constant(int input) const override { return input != 1 || (!tiles_ && !conv_); }
  size_t packed_bytes() const override {
    return (tiles_ ? tiles_->b.byte_size() : 0) + (conv_ ? conv_->packed_bytes() : 0);
  }

 private:
  void check_weights(const Tensor& weights) const {
    spatial_rank(weights.shape(), "input W");
    if (weights.dim(0) % group_ != 0) {
      throw_error(ErrorCode::kInvalidModel, "input W has {} input channels, which {} groups cannot share",
                  weights.dim(0), group_);
    }
    product_.check_channels(weights.dim(1) * group_);
  }

  kernels::Conv prepare_conv(const Tensor& weights, Allocator* allocator) const {
    const Tensor reversed = byte_size(weights.dtype()) == 1 ? as_conv_weights<uint8_t>(weights, group_, allocator)
                                                            : as_conv_weights<uint16_t>(weights, group_, allocator);
    return pack_conv(product_, reversed, group_, allocator);
  }

  Tiles prepare_tiles(const Tensor& weights) const {
    const Tensor tiles = byte_size(weights.dtype()) == 1 ? as_tiles<uint8_t>(weights) : as_tiles<uint16_t>(weights);
    const int64_t columns = tiles.dim(1), channels = weights.dim(1);
    kernels::PackedB b(product_.view_b(tiles, 0, tiles.dim(0), columns, columns, 1), product_.node.a_dtype,
                       product_.node.a_zero_point, {.compact = true});
    std::vector<int64_t> bias = product_.bias;
    if (bias.size() > 1) {
      bias.clear();
      for (int64_t c = 0; c < columns; ++c) bias.push_back(product_.bias[static_cast<size_t>(c % channels)]);
    }
    kernels::Requantizer requantizer(b, bias, product_.output_forms);
    return {std::move(b), std::move(requantizer)};
  }

  void run_tiles(OpCall& call, const Shape& shape) const {
    const Tensor &x = call.input(0), &weights = call.input(1);
    const int64_t pixels = x.size() / std::max<int64_t>(1, x.dim(1)), columns = tiles_->b.columns();
    const Tensor* inputs[] = {&x, &weights, call.has_input(2) ? &call.input(2) : nullptr};
    std::vector<Tensor> rows(static_cast<size_t>(call.num_outputs()));
    OpCall inner(call.node(), inputs, rows, call.allocator());
    ProductOutputs outputs(product_, inner, {pixels, columns}, 1, Layout::kPlain);
    if (pixels > 0) {
      const kernels::MatrixView left = product_.view_a(x, 0, pixels, x.dim(1), x.dim(1), 1);
      kernels::gemm(kernels::MatrixRows(left), tiles_->b, tiles_->requantizer, outputs.places(0), outputs.sink());
    }
    outputs.finish();
    for (int i = 0; i < call.num_outputs(); ++i) {
      const Tensor& from = rows[static_cast<size_t>(i)];
      place(x, weights, from, call.output(i, from.dtype(), shape, Layout::kChannelsLast));
    }
  }

  // Rows [pixel][tap][channel] to where the taps of each pixel stand. A line of a tile is contiguous in both.
  static void place(const Tensor& x, const Tensor& weights, const Tensor& rows, Tensor& y) {
    const int spatial = x.rank() - 2;
    std::array<int64_t, 3> size = {1, 1, 1}, kernel = {1, 1, 1};
    std::copy(x.shape().begin() + 2, x.shape().end(), size.end() - spatial);
    std::copy(weights.shape().begin() + 2, weights.shape().end(), kernel.end() - spatial);
    const int64_t run = kernel[2] * weights.dim(1) * static_cast<int64_t>(byte_size(rows.dtype()));
    const int64_t lines = kernel[0] * kernel[1];
    const std::byte* from = rows.bytes();
    std::byte* to = y.mutable_bytes();
    // One output line: its pixels' runs side by side.
    parallel_for(x.dim(0) * size[0] * kernel[0] * size[1] * kernel[1], 8, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const int64_t oy = line % (size[1] * kernel[1]), oz = line / (size[1] * kernel[1]);
        const int64_t tap = oz % kernel[0] * kernel[1] + oy % kernel[1];
        const int64_t pixel = (oz / kernel[0] * size[1] + oy / kernel[1]) * size[2];
        for (int64_t ix = 0; ix < size[2]; ++ix) {
          std::memcpy(to + (line * size[2] + ix) * run, from + ((pixel + ix) * lines + tap) * run,
                      static_cast<size_t>(run));
        }
      }
    });
  }

  const IntegerProduct product_;
  const TransposedWindow window_;
  const int64_t group_;
  // Where the weights are constant, one of the two.
  std::optional<Tiles> tiles_;
  std::optional<kernels::Conv> conv_;
};

std::unique_ptr<Kernel> make_integer_conv_transpose(const KernelArgs& args) {
  if (ec_passes(args.node) > 1) return make_ec_product(args);
  return std::make_unique<IntegerConvTranspose>(args);
}

constexpr OpDef kOps[] = {
    {.op_type = kIntegerConvTranspose,
     .make = make_integer_conv_transpose,
     .channels_last = kActivations,
     .domain = kDialect},
};

}  // namespace

std::span<const OpDef> integer_conv_transpose_ops() { return kOps; }

}  // namespace twofold
