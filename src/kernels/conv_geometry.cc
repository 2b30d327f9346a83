#include "kernels/conv_geometry.h"

#include "base/check.h"
#include "base/error.h"

namespace twofold::kernels {

std::array<ConvAxis, 3> conv_axes(const ConvWindow& window, const std::vector<int64_t>& spatial) {
  const size_t rank = spatial.size();
  TWOFOLD_CHECK(rank >= 1 && rank <= 3 && window.kernel.size() == rank && window.strides.size() == rank &&
                window.dilations.size() == rank && window.pads.size() == 2 * rank);
  std::array<ConvAxis, 3> axes;
  for (size_t i = 0; i < rank; ++i) {
    ConvAxis& axis = axes[3 - rank + i];
    axis = {spatial[i], window.kernel[i], window.strides[i], window.dilations[i], window.pads[i]};
    const int64_t padded = axis.size + axis.pad + window.pads[rank + i], extent = (axis.kernel - 1) * axis.dilation + 1;
    if (padded < extent) {
      throw_error(ErrorCode::kInvalidArgument, "a window of {} elements is larger than the padded input of {}", extent,
                  padded);
    }
    axis.outputs = (padded - extent) / axis.stride + 1;
  }
  return axes;
}

}  // namespace twofold::kernels
