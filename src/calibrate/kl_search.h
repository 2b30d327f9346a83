// The threshold that loses the least information: S. Migacz, "8-bit inference with TensorRT", GTC 2017.
#ifndef TWOFOLD_SRC_CALIBRATE_KL_SEARCH_H_
#define TWOFOLD_SRC_CALIBRATE_KL_SEARCH_H_

#include <cstdint>
#include <span>
#include <vector>

namespace twofold {

// `magnitudes` with neighbours joined so that `num_bin` bins or somewhat more span the 99.9 % of the numbers that are
// smallest, and at most `max_num_bin` all of them. Stores how many became one in `joined`. Trailing empty bins are
// dropped.
std::vector<uint64_t> join_bins(std::span<const uint64_t> magnitudes, int num_bin, int max_num_bin, int& joined);

// The number of bins to keep, `levels` <= result <= counts.size().
//
// For each number i of bins kept, the reference P is counts[0, i) with everything beyond added to the last bin, and Q
// is counts[0, i) joined into `levels` levels, each spread evenly over its bins that are not empty. The i with the
// least KL(P || Q) wins, the largest of equals. As Q is constant inside a level, sums over bins become differences of
// prefix sums: i costs O(levels), not O(i).
//
// Bin 0 counts as bin 1 does: real zeros, often most of the numbers behind a Relu, are exact with every threshold, and
// would else demand that no level be shared with them.
int kl_bins_to_keep(std::vector<uint64_t> counts, int levels);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_KL_SEARCH_H_
