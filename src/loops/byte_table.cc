#include "loops/byte_table.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/byte_table.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

// Shuffles of bytes look up 16 entries at once, by the low four bits; the high ones say which of 16 shuffles holds.
// Below SSSE3 there are none, and Highway's stand-ins are slower than loads.
#if HWY_TARGET != HWY_SSE2 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
HWY_INLINE int64_t look_up_vectors(const uint8_t* table, const uint8_t* x, int64_t n, uint8_t* y) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<uint8_t> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  alignas(16) uint8_t entries[256];  // a copy, which y cannot overwrite
  std::memcpy(entries, table, sizeof(entries));
  const auto low_bits = hn::Set(d, 0x0F);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    const auto low = hn::And(v, low_bits), high = hn::AndNot(low_bits, v);
    auto result = hn::TableLookupBytes(hn::LoadDup128(d, entries), low);
    HWY_UNROLL(15)
    for (int part = 16; part < 256; part += 16) {
      const auto found = hn::TableLookupBytes(hn::LoadDup128(d, entries + part), low);
      result = hn::IfThenElse(hn::Eq(high, hn::Set(d, static_cast<uint8_t>(part))), found, result);
    }
    hn::StoreU(result, d, y + i);
  }
  return i;
}
#else
HWY_INLINE int64_t look_up_vectors(const uint8_t*, const uint8_t*, int64_t, uint8_t*) { return 0; }
#endif

void look_up(const uint8_t* table, const uint8_t* x, int64_t n, uint8_t* y) {
  for (int64_t i = look_up_vectors(table, x, n, y); i < n; ++i) y[i] = table[x[i]];
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {
HWY_EXPORT(look_up);
void look_up_bytes(const uint8_t* table, const uint8_t* x, int64_t n, uint8_t* y) {
  HWY_DYNAMIC_DISPATCH(look_up)(table, x, n, y);
}
}  // namespace twofold
#endif
