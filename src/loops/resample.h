// The loops behind Resize: sums of weighted rows and of weighted elements, in the fixed order of the taps, so that the
// result has the same bits for every instruction set, layout and number of threads.
#ifndef TWOFOLD_SRC_LOOPS_RESAMPLE_H_
#define TWOFOLD_SRC_LOOPS_RESAMPLE_H_

#include <cstddef>
#include <cstdint>

#include "loops/resize_taps.h"

namespace twofold {

// Data seen as [outer, in, inner] becomes [outer, out, inner]. T: float or double.
template <typename T>
void resample_axis(const ResizeTaps& taps, int64_t outer, int64_t inner, const T* in, T* out);

// [outer, y.in, x.in, inner] becomes [outer, y.out, x.out, inner]: first along y, then along x, a row at a time. Rows
// come from `allocator`, or the heap without one.
template <typename T>
void resample_plane(const ResizeTaps& y, const ResizeTaps& x, int64_t outer, int64_t inner, const T* in, T* out,
                    Allocator* allocator);

// The same for taps of one element without weights; elements of 1, 2, 4 or 8 bytes are copied as they are.
void pick_plane(size_t element_size, const ResizeTaps& y, const ResizeTaps& x, int64_t outer, int64_t inner,
                const std::byte* in, std::byte* out);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_RESAMPLE_H_
