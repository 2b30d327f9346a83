// The one loop nest behind every operator that moves boxes of elements: Transpose, Concat, Split, Slice, Expand, Tile,
// DepthToSpace and more. Each of them only describes where elements lie.
#ifndef TWOFOLD_SRC_LOOPS_STRIDED_COPY_H_
#define TWOFOLD_SRC_LOOPS_STRIDED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

// One dimension of a box: how many elements, and how many elements apart they lie on either side. Steps may be
// negative; `in` may be 0 (the element is repeated).
struct CopyDim {
  int64_t size;
  int64_t in;
  int64_t out;
};

// out[Σ i_d·out_d] = in[Σ i_d·in_d] for every index of the box. Pointers are to the elements of index 0.
// REQUIRES: no two indices share an output element, the two sides do not overlap; element_size is 1, 2, 4 or 8.
void strided_copy(size_t element_size, std::vector<CopyDim> dims, const std::byte* in, std::byte* out);

// Distance in elements between neighbours of each dimension of a tensor in memory.
std::vector<int64_t> element_strides(const Shape& shape, Layout layout = Layout::kPlain);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_STRIDED_COPY_H_
