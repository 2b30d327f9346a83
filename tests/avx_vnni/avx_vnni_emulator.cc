#include "avx_vnni/avx_vnni_emulator.h"

#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <cstring>
#include <optional>

namespace twofold::kernels {

namespace {

using Vector = std::array<uint8_t, 32>;

// The places of the general registers in a signal's context, in the order in which instructions number them.
constexpr int kGeneralRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

// By opcode. The last one is of AVX2 and runs on any CPU here; but it stands between the dots of a tile, and a signal
// that serves it too serves up to six times as many of them.
enum class Operation : uint8_t {
  kByteDot = 0x50,    // VPDPBUSD
  kWordDot = 0x52,    // VPDPWSSD
  kBroadcast = 0x58,  // VPBROADCASTD
};

struct Instruction {
  Operation operation;
  size_t bytes;           // of its vectors, 16 or 32
  int result, a, b;       // vector registers
  const uint8_t* memory;  // instead of b, where there is one
  const uint8_t* next;    // the next instruction
};

// The address that the ModRM byte at `at` and what belongs to it mean; leaves `at` behind them. `x` and `b` are the
// prefix's extensions of the index and the base, 0 or 8. Intel SDM volume 2, 2.1.3 to 2.1.5 and 2.2.1.
const uint8_t* memory_operand(const uint8_t*& at, int x, int b, const greg_t* general) {
  const auto value = [general](int n) { return static_cast<uint64_t>(general[kGeneralRegisters[n]]); };
  const int mod = *at >> 6, rm = *at & 7;
  ++at;
  int base = rm;
  uint64_t address = 0;
  if (rm == 4) {  // a SIB byte
    base = *at & 7;
    const int index = (*at >> 3 & 7) + x;
    if (index != 4) address += value(index) << (*at >> 6);
    ++at;
  }
  const bool no_base = mod == 0 && base == 5;
  if (!no_base) address += value(base + b);
  if (mod == 1) {
    address += static_cast<uint64_t>(int64_t{static_cast<int8_t>(*at)});
    at += 1;
  } else if (mod == 2 || no_base) {
    int32_t displacement;
    std::memcpy(&displacement, at, sizeof(displacement));
    address += static_cast<uint64_t>(int64_t{displacement});
    at += sizeof(displacement);
  }
  if (no_base && rm == 5) address += reinterpret_cast<uint64_t>(at);  // relative to the next instruction
  return reinterpret_cast<const uint8_t*>(address);
}

// VEX.{128,256}.66.0F38.W0 {50,52,58} /r; nothing if it is another instruction, of which no byte is read that cannot be
// part of it. Intel SDM volume 2, 2.3.5: after C4, a byte of R X B mmmmm, and one of W vvvv L pp; R, X, B and vvvv are
// inverted.
std::optional<Instruction> decode(const uint8_t* code, const greg_t* general) {
  if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 || (code[2] & 0x83) != 1) return {};
  const auto operation = static_cast<Operation>(code[3]);
  const int a = ~code[2] >> 3 & 15;
  switch (operation) {
    case Operation::kByteDot:
    case Operation::kWordDot: break;
    case Operation::kBroadcast:
      if (a == 0) break;  // as it has to be where there is no such operand
      [[fallthrough]];
    default: return {};
  }
  const auto extension = [&](int bit) { return (code[1] >> bit & 1) != 0 ? 0 : 8; };
  Instruction result = {.operation = operation, .bytes = (code[2] & 4) != 0 ? size_t{32} : size_t{16}, .a = a};
  result.result = (code[4] >> 3 & 7) + extension(7);
  result.next = code + 4;
  if (code[4] >> 6 == 3) {
    result.b = (code[4] & 7) + extension(5);
    ++result.next;
  } else {
    result.memory = memory_operand(result.next, extension(6), extension(5), general);
  }
  return result;
}

// Where XSAVE's standard form has the upper halves of the YMM and ZMM registers: state components 2 and 6.
struct StateOffsets {
  size_t ymm_high = 0, zmm_high = 0;
};
StateOffsets offsets;

size_t state_offset(unsigned component) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  __get_cpuid_count(0xD, component, &eax, &ebx, &ecx, &edx);
  return ebx;
}

// The vector registers of the interrupted thread, which the kernel has saved in the signal's frame and loads from there
// on return. Intel SDM volume 1, 13.4; Linux, arch/x86/include/uapi/asm/sigcontext.h.
class SavedVectors {
 public:
  explicit SavedVectors(void* area) : area_(static_cast<uint8_t*>(area)) {}

  // Whether there is more than the XMM registers: FP_XSTATE_MAGIC1 says so.
  bool has_ymm() const { return read<uint32_t>(464) == 0x46505853; }

  // XSAVE writes the state that is not in use too, as zeros.
  Vector get(int n) const {
    Vector result;
    std::memcpy(result.data(), xmm(n), 16);
    std::memcpy(result.data() + 16, ymm_high(n), 16);
    return result;
  }

  // And zeros above it.
  void set(int n, const Vector& value) {
    std::memcpy(xmm(n), value.data(), 16);
    std::memcpy(ymm_high(n), value.data() + 16, 16);
    const auto in_use = read<uint64_t>(kInUse);
    if ((in_use >> 6 & 1) != 0) std::memset(area_ + offsets.zmm_high + 32 * static_cast<size_t>(n), 0, 32);
    const uint64_t with_ymm = in_use | 1U << 2;
    std::memcpy(area_ + kInUse, &with_ymm, sizeof(with_ymm));
  }

 private:
  static constexpr size_t kInUse = 512;  // XSTATE_BV, a bit for each component

  template <typename T>
  T read(size_t offset) const {
    T value;
    std::memcpy(&value, area_ + offset, sizeof(T));
    return value;
  }
  uint8_t* xmm(int n) const { return area_ + 160 + 16 * static_cast<size_t>(n); }
  uint8_t* ymm_high(int n) const { return area_ + offsets.ymm_high + 16 * static_cast<size_t>(n); }

  uint8_t* area_;
};

uint32_t load(const uint8_t* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

// Lanes of 32 bits: acc plus the products of four uint8 and int8, or of two int16, modulo 2^32.
uint32_t byte_dot(uint32_t acc, uint32_t a, uint32_t b) {
  for (int bit = 0; bit < 32; bit += 8)
    acc += static_cast<uint32_t>(static_cast<uint8_t>(a >> bit) * static_cast<int8_t>(b >> bit));
  return acc;
}
uint32_t word_dot(uint32_t acc, uint32_t a, uint32_t b) {
  for (int bit = 0; bit < 32; bit += 16)
    acc += static_cast<uint32_t>(static_cast<int16_t>(a >> bit) * static_cast<int16_t>(b >> bit));
  return acc;
}

void execute(const Instruction& instruction, SavedVectors& vectors) {
  const Vector acc = vectors.get(instruction.result), a = vectors.get(instruction.a);
  const Vector in_register = vectors.get(instruction.b);
  const uint8_t* b = instruction.memory != nullptr ? instruction.memory : in_register.data();
  Vector result = {};  // zeros behind half a vector
  for (size_t at = 0; at < instruction.bytes; at += 4) {
    uint32_t lane = 0;
    switch (instruction.operation) {
      case Operation::kByteDot: lane = byte_dot(load(&acc[at]), load(&a[at]), load(b + at)); break;
      case Operation::kWordDot: lane = word_dot(load(&acc[at]), load(&a[at]), load(b + at)); break;
      case Operation::kBroadcast: lane = load(b); break;
    }
    std::memcpy(&result[at], &lane, sizeof(lane));
  }
  vectors.set(instruction.result, result);
}

std::atomic<int64_t> emulated = 0;
static_assert(std::atomic<int64_t>::is_always_lock_free);  // so that a signal handler may use it
struct sigaction previous_action;
bool cpu_lacks_avx_vnni = false;

void on_illegal_instruction(int /*signal*/, siginfo_t* /*info*/, void* context) {
  mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  SavedVectors vectors(machine.fpregs);
  int64_t dots = 0;
  // A signal takes microseconds, so one serves all instructions that directly follow each other.
  while (vectors.has_ymm()) {
    const std::optional<Instruction> instruction =
        decode(reinterpret_cast<const uint8_t*>(machine.gregs[REG_RIP]), machine.gregs);
    if (!instruction) break;
    execute(*instruction, vectors);
    machine.gregs[REG_RIP] = reinterpret_cast<greg_t>(instruction->next);
    if (instruction->operation != Operation::kBroadcast) ++dots;
  }
  emulated.fetch_add(dots, std::memory_order_relaxed);
  // On return the CPU meets the instruction again, and then what was there before us.
  if (dots == 0) sigaction(SIGILL, &previous_action, nullptr);
}

}  // namespace

void install_avx_vnni_emulator() {
  offsets = {.ymm_high = state_offset(2), .zmm_high = state_offset(6)};
  struct sigaction action = {};
  action.sa_sigaction = on_illegal_instruction;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, &previous_action);
  // What runs and is not emulated is run by the CPU.
  asm volatile("%{vex%} vpdpbusd %%xmm0, %%xmm0, %%xmm0" : : : "xmm0", "memory");
  cpu_lacks_avx_vnni = emulated_instructions() != 0;
}

int64_t emulated_instructions() { return emulated.load(std::memory_order_relaxed); }

bool emulates_avx_vnni() { return cpu_lacks_avx_vnni; }

}  // namespace twofold::kernels
