// Written in assembly throughout, so that the test needs no flags of an instruction set and meets each form of operand.
#include "avx_vnni/avx_vnni_emulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>

namespace twofold::kernels {
namespace {

using Vector = std::array<uint8_t, 32>;

// What the assembly below reads and writes, at the offsets that it uses.
struct State {
  Vector ymm[16];  // 0
  Vector memory;   // 512
};

// An operand in memory that is found relative to the instruction.
alignas(32) [[gnu::used]] Vector fixed asm("avx_vnni_fixed_operand") = {
    255, 128, 127, 1, 0, 129, 254, 3, 7, 200, 100, 50, 25, 12, 6, 250, 128, 128, 128, 128, 127, 127, 127, 127, 255, 1};

using Routine = void (*)(State* state);

// A function that loads all vector registers from the state at RDI, runs `lines` and stores them again.
#define ROUTINE(lines)                                                                                                \
  [](State* at_rdi) {                                                                                                 \
    asm volatile(                                                                                                     \
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"                                            \
        "vmovdqu \\n*32(%%rdi), %%ymm\\n\n\t"                                                                         \
        ".endr\n\t" lines                                                                                             \
        "\n\t.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"                                        \
        "vmovdqu %%ymm\\n, \\n*32(%%rdi)\n\t"                                                                         \
        ".endr\n\tvzeroupper"                                                                                         \
        :                                                                                                             \
        : "D"(at_rdi)                                                                                                 \
        : "memory", "cc", "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", \
          "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",        \
          "xmm15");                                                                                                   \
  }

// Both instructions with the same operands.
struct Form {
  const char* operands;
  Routine bytes, words;
  int acc, a, b;  // registers; b is -1 for the memory
  size_t width = 32;
};
#define BOTH(encoding, before, operands) \
  ROUTINE(before "%{" encoding "%} vpdpbusd " operands), ROUTINE(before "%{" encoding "%} vpdpwssd " operands)
#define REGISTERS(encoding, acc, a, b) \
  Form { "ymm" #b ", ymm" #a ", ymm" #acc, BOTH(encoding, "", "%%ymm" #b ", %%ymm" #a ", %%ymm" #acc), acc, a, b }
#define HALVES(acc, a, b) \
  Form { "xmm" #b ", xmm" #a ", xmm" #acc, BOTH("vex", "", "%%xmm" #b ", %%xmm" #a ", %%xmm" #acc), acc, a, b, 16 }
// `before` makes `address` that of the memory.
#define MEMORY(before, address, acc, a) \
  Form { address, BOTH("vex", before "\n\t", address ", %%ymm" #a ", %%ymm" #acc), acc, a, -1 }

uint32_t lane(const Vector& v, size_t at) {
  uint32_t value;
  std::memcpy(&value, v.data() + at, 4);
  return value;
}

// What the instruction does to a lane, as its description says: sums of products that are exact, added modulo 2^32.
uint32_t byte_dot(uint32_t acc, uint32_t a, uint32_t b) {
  int64_t sum = acc;
  for (int shift = 0; shift < 32; shift += 8)
    sum += int64_t{static_cast<uint8_t>(a >> shift)} * static_cast<int8_t>(b >> shift);
  return static_cast<uint32_t>(sum);
}
uint32_t word_dot(uint32_t acc, uint32_t a, uint32_t b) {
  const int64_t low = int64_t{static_cast<int16_t>(a)} * static_cast<int16_t>(b);
  const int64_t high = int64_t{static_cast<int16_t>(a >> 16)} * static_cast<int16_t>(b >> 16);
  return static_cast<uint32_t>(acc + low + high);
}
Vector dots(bool words, const Vector& acc, const Vector& a, const Vector& b, size_t width) {
  Vector result = {};
  for (size_t at = 0; at < width; at += 4) {
    const uint32_t sum = (words ? word_dot : byte_dot)(lane(acc, at), lane(a, at), lane(b, at));
    std::memcpy(result.data() + at, &sum, 4);
  }
  return result;
}

// Random bytes, a third of them the ends of the ranges.
Vector random_vector(std::mt19937& random) {
  constexpr uint8_t kEnds[] = {0, 1, 127, 128, 129, 255};
  Vector result;
  for (uint8_t& byte : result)
    byte = static_cast<uint8_t>(random() % 3 == 0 ? kEnds[random() % std::size(kEnds)] : random());
  return result;
}

State random_state(std::mt19937& random) {
  State state;
  for (Vector& v : state.ymm) v = random_vector(random);
  state.memory = random_vector(random);
  return state;
}

void expect_same_registers(const State& got, const State& expected) {
  for (size_t n = 0; n < 16; ++n) EXPECT_EQ(got.ymm[n], expected.ymm[n]) << "ymm" << n;
}

// Of all registers nothing but the accumulator changes.
void expect_dots(const Form& form) {
  std::mt19937 random(23);
  for (int i = 0; i < 100; ++i) {
    for (const bool words : {false, true}) {
      SCOPED_TRACE(testing::Message() << (words ? "vpdpwssd " : "vpdpbusd ") << form.operands);
      State state = random_state(random), expected = state;
      const Vector& b = form.b < 0 ? state.memory : state.ymm[form.b];
      expected.ymm[form.acc] = dots(words, state.ymm[form.acc], state.ymm[form.a], b, form.width);
      (words ? form.words : form.bytes)(&state);
      expect_same_registers(state, expected);
    }
    if (testing::Test::HasFailure()) return;
  }
}

TEST(AvxVnniEmulator, CountsWhatItDoes) {
  std::mt19937 random(1);
  State state = random_state(random);
  const int64_t expected = emulates_avx_vnni() ? 1 : 0, before = emulated_instructions();
  REGISTERS("vex", 0, 1, 2).bytes(&state);
  EXPECT_EQ(emulated_instructions() - before, expected);
}

// The largest and the smallest sum, and what tells the two operands apart.
TEST(AvxVnniEmulator, MultipliesUnsignedBySigned) {
  State state = {};
  state.ymm[1] = {255, 255, 255, 255, 255, 255, 255, 255, 128, 0, 0, 0, 1, 2, 3, 4};
  state.ymm[2] = {127, 127, 127, 127, 128, 128, 128, 128, 128, 9, 9, 9, 255, 1, 1, 1};
  state.ymm[0] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255};
  REGISTERS("vex", 0, 1, 2).bytes(&state);
  EXPECT_EQ(static_cast<int32_t>(lane(state.ymm[0], 0)), 4 * 255 * 127);
  EXPECT_EQ(static_cast<int32_t>(lane(state.ymm[0], 4)), -4 * 255 * 128);
  EXPECT_EQ(static_cast<int32_t>(lane(state.ymm[0], 8)), -128 * 128);
  EXPECT_EQ(static_cast<int32_t>(lane(state.ymm[0], 12)), -1 - 1 + 2 + 3 + 4);
}

// 2^31 - 1 and two products of 2^30: sums wrap, where those of the instruction's sister saturate.
TEST(AvxVnniEmulator, Wraps) {
  State state = {};
  state.ymm[0] = {255, 255, 255, 127};
  state.ymm[1] = {0, 128, 0, 128};
  state.ymm[2] = state.ymm[1];
  REGISTERS("vex", 0, 1, 2).words(&state);
  EXPECT_EQ(lane(state.ymm[0], 0), 0xFFFFFFFFU);
}

TEST(AvxVnniEmulator, TakesAnyRegisters) {
  for (const Form& form :
       {REGISTERS("vex", 0, 1, 2), REGISTERS("vex", 8, 1, 2), REGISTERS("vex", 0, 9, 2), REGISTERS("vex", 0, 1, 10),
        REGISTERS("vex", 15, 14, 13), REGISTERS("vex", 7, 8, 15), REGISTERS("vex", 5, 5, 6), REGISTERS("vex", 5, 6, 5),
        REGISTERS("vex", 11, 4, 4), REGISTERS("vex", 12, 12, 12)}) {
    expect_dots(form);
  }
}

TEST(AvxVnniEmulator, ZeroesTheUpperHalfBehindHalfVectors) {
  for (const Form& form : {HALVES(0, 1, 2), HALVES(9, 14, 3), HALVES(6, 15, 12), HALVES(10, 10, 10)}) expect_dots(form);
}

TEST(AvxVnniEmulator, TakesEveryFormOfAddress) {
  for (const Form& form : {
           MEMORY("lea 512(%%rdi), %%rax", "(%%rax)", 0, 1),
           MEMORY("lea 512(%%rdi), %%r9", "(%%r9)", 8, 9),
           MEMORY("lea 512(%%rdi), %%r13", "(%%r13)", 3, 12),     // has a displacement of 0
           MEMORY("lea 512(%%rdi), %%r12", "(%%r12)", 13, 2),     // has a SIB byte
           MEMORY("lea 639(%%rdi), %%rcx", "-127(%%rcx)", 0, 1),  // of 8 bits
           MEMORY("lea 385(%%rdi), %%r15", "127(%%r15)", 10, 1),
           MEMORY("lea 75024(%%rdi), %%r8", "-74512(%%r8)", 4, 11),  // of 32 bits
           MEMORY("lea -74000(%%rdi), %%rcx", "74512(%%rcx)", 2, 1),
           MEMORY("mov $5, %%ecx\n\tlea 484(%%rdi), %%rax", "8(%%rax,%%rcx,4)", 1, 0),
           MEMORY("mov $-3, %%r12\n\tlea 1048(%%rdi), %%r10", "-512(%%r10,%%r12,8)", 15, 0),
           MEMORY("mov $77, %%r14d\n\tlea 435(%%rdi), %%r13", "(%%r13,%%r14)", 5, 15),
           MEMORY("lea 512(%%rdi), %%r11\n\tshr %%r11", "(,%%r11,2)", 0, 1),  // no base
           MEMORY("lea 448(%%rdi), %%rax\n\tshr $2, %%rax", "64(,%%rax,4)", 0, 8),
           MEMORY("lea 512(%%rdi), %%rax\n\tsub %%rsp, %%rax", "(%%rsp,%%rax)", 9, 1),
           MEMORY("lea 512(%%rdi), %%rax\n\tsub %%rbp, %%rax", "(%%rbp,%%rax)", 0, 1),
       }) {
    expect_dots(form);
  }
}

// The displacement counts from the end of the instruction.
TEST(AvxVnniEmulator, TakesAddressesRelativeToTheInstruction) {
  constexpr Routine kBytes = ROUTINE("%{vex%} vpdpbusd avx_vnni_fixed_operand(%%rip), %%ymm3, %%ymm10");
  constexpr Routine kWords = ROUTINE("%{vex%} vpdpwssd avx_vnni_fixed_operand(%%rip), %%ymm3, %%ymm10");
  std::mt19937 random(5);
  for (const bool words : {false, true}) {
    State state = random_state(random), expected = state;
    expected.ymm[10] = dots(words, state.ymm[10], state.ymm[3], fixed, 32);
    (words ? kWords : kBytes)(&state);
    expect_same_registers(state, expected);
  }
}

// One signal serves dots and broadcasts that follow each other; those before and after run by themselves.
TEST(AvxVnniEmulator, RunsSequences) {
  std::mt19937 random(9);
  State state = random_state(random), expected = state;
  const auto step = [&](bool words, size_t acc, size_t a, const Vector& b) {
    expected.ymm[acc] = dots(words, expected.ymm[acc], expected.ymm[a], b, 32);
  };
  step(false, 0, 1, expected.ymm[2]);
  step(true, 3, 0, expected.memory);
  for (size_t i = 0; i < 32; ++i) expected.ymm[12][i] = expected.memory[8 + i % 4];
  for (size_t i = 0; i < 16; ++i) expected.ymm[7][i] = expected.ymm[12][i % 4];
  std::fill(expected.ymm[7].begin() + 16, expected.ymm[7].end(), uint8_t{0});
  step(true, 0, 3, expected.ymm[12]);
  step(true, 0, 3, expected.ymm[7]);
  for (size_t i = 0; i < 32; ++i) expected.ymm[9][i] ^= expected.ymm[0][i];
  step(false, 9, 9, expected.ymm[0]);
  constexpr Routine kRoutine = ROUTINE(
      "%{vex%} vpdpbusd %%ymm2, %%ymm1, %%ymm0\n\t"
      "%{vex%} vpdpwssd 512(%%rdi), %%ymm0, %%ymm3\n\t"
      "vpbroadcastd 520(%%rdi), %%ymm12\n\t"
      "vpbroadcastd %%xmm12, %%xmm7\n\t"
      "%{vex%} vpdpwssd %%ymm12, %%ymm3, %%ymm0\n\t"
      "%{vex%} vpdpwssd %%ymm7, %%ymm3, %%ymm0\n\t"
      "vpxor %%ymm0, %%ymm9, %%ymm9\n\t"
      "%{vex%} vpdpbusd %%ymm0, %%ymm9, %%ymm9");
  kRoutine(&state);
  expect_same_registers(state, expected);
}

// What is not in use is not loaded on return either, unless the handler says that it is now.
TEST(AvxVnniEmulator, TakesUpperHalvesThatAreNotInUse) {
  std::mt19937 random(3);
  State state = random_state(random), expected = state;
  for (Vector& v : expected.ymm) v = {};
  std::copy_n(state.ymm[1].begin(), 16, expected.ymm[1].begin());
  expected.ymm[2] = dots(false, {}, expected.ymm[1], state.memory, 32);
  for (size_t i = 0; i < 32; ++i) expected.ymm[3][i] = state.memory[i % 4];
  constexpr Routine kRoutine = ROUTINE(
      "vzeroall\n\t"
      "vmovdqu 32(%%rdi), %%xmm1\n\t"
      "%{vex%} vpdpbusd 512(%%rdi), %%ymm1, %%ymm2\n\t"
      "vpbroadcastd 512(%%rdi), %%ymm3");
  kRoutine(&state);
  expect_same_registers(state, expected);
}

TEST(AvxVnniEmulator, ZeroesWhatIsAboveTheVector) {
  if (!__builtin_cpu_supports("avx512f")) GTEST_SKIP() << "this CPU has no vectors of 512 bits";
  Vector above;
  above.fill(1);
  asm volatile(
      "vpternlogd $255, %%zmm1, %%zmm1, %%zmm1\n\t"
      "%{vex%} vpdpbusd %%ymm1, %%ymm1, %%ymm1\n\t"
      "vextracti64x4 $1, %%zmm1, %0\n\t"
      "vzeroupper"
      : "=m"(above)
      :
      : "xmm1");
  EXPECT_EQ(above, Vector{});
}

// AVX-512 VNNI has the same instructions in another encoding: what the test takes for right is what a CPU does.
TEST(AvxVnniEmulator, DoesWhatTheEvexInstructionsDo) {
  if (!__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512vl")) {
    GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  }
  for (const Form& form : {REGISTERS("evex", 0, 1, 2), REGISTERS("evex", 12, 12, 12)}) {
    const int64_t before = emulated_instructions();
    expect_dots(form);
    EXPECT_EQ(emulated_instructions(), before);
  }
}

TEST(AvxVnniEmulatorDeathTest, LeavesOtherInstructionsAlone) {
  EXPECT_DEATH(asm volatile("ud2"), "");
  EXPECT_DEATH(asm volatile(".byte 0xC4, 0xE2, 0xF5, 0x50, 0xC2"), "");  // VPDPBUSD but for a W of 1
}

}  // namespace
}  // namespace twofold::kernels
