// Looking bytes up in a table of bytes, for all instruction sets.
#ifndef TWOFOLD_SRC_LOOPS_BYTE_TABLE_H_
#define TWOFOLD_SRC_LOOPS_BYTE_TABLE_H_

#include <cstdint>

namespace twofold {

// y[i] = table[x[i]], i < n, for a table of 256 bytes.
void look_up_bytes(const uint8_t* table, const uint8_t* x, int64_t n, uint8_t* y);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_BYTE_TABLE_H_
