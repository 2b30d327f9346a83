// Matrix products whose sums have one fixed order, for operators that must give the same bits everywhere (recurrent
// networks, Einsum).
#ifndef TWOFOLD_SRC_LOOPS_FIXED_GEMM_H_
#define TWOFOLD_SRC_LOOPS_FIXED_GEMM_H_

#include <cstdint>

namespace twofold {

// c[i][j] = Σ_k a[i][k]·b[k][j], added in the order of k, starting from 0. Row-major: a is [m,k], b is [k,n], c is
// [m,n]. T: float, double, int32_t or int64_t (which wrap).
template <typename T>
void fixed_gemm(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_FIXED_GEMM_H_
