// Windows that slide over [N,C,spatial...], as nodes of a backward graph. Sizes are all given, so that what remains of
// an input behind the last window comes out right.
#ifndef TWOFOLD_SRC_GRADIENTS_WINDOWS_H_
#define TWOFOLD_SRC_GRADIENTS_WINDOWS_H_

#include <vector>

#include "gradients/backward_graph.h"
#include "loops/window_axis.h"

namespace twofold {

// Conv of x by weights [M,C/group,k...]: x has axis.input places along each spatial axis, the result axis.output.
// `axis.pad_end` is not looked at.
Term slide(Term x, Term weights, const std::vector<WindowAxis>& axes, int64_t group);

// Its gradient in x, given that of the result; `weights` have the shape `kernel`.
Term slide_back(Term dy, Term weights, const Shape& kernel, const std::vector<WindowAxis>& axes, int64_t group);

// Its gradient in the weights, given x of shape `x_shape` and the gradient of the result.
Term slide_weights(Term x, const Shape& x_shape, Term dy, const std::vector<WindowAxis>& axes, int64_t group);

// A tensor of one number.
Tensor filled(Shape shape, float value);

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_WINDOWS_H_
