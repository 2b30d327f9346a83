// How fast the integer kernels are: multiplications per second, the share of what the CPU's registers allow, and the
// ratio to float32 on oneDNN, as a Markdown table. One thread; the best of interleaved rounds. Results are checked
// before they are timed.
//
// kernels_bench [seconds per case and contender] [part of a name] [instruction set]
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/parallel_for.h"
#include "kernels/conv.h"
#include "kernels/gemm.h"
#include "onednn.h"
#include "register_peak.h"

namespace twofold::kernels {
namespace {

constexpr Work kWork[] = {
    {"matmul 1024 x 1024 x 1024", 1, 1024, 1024, 1024, 1, 1, 1, true},
    {"conv 3x3, 14x14, 256 -> 256", 14, 14, 256, 256, 3, 1, 1, false},
    {"conv 1x1, 56x56, 64 -> 256", 56, 56, 64, 256, 1, 1, 1, false},
    {"conv 1x1, 112x112, 16 -> 96", 112, 112, 16, 96, 1, 1, 1, false},
    {"conv 3x3, 112x112, 3 -> 32", 112, 112, 3, 32, 3, 1, 1, false},
    {"conv 3x3, 160x160, 96 -> 24", 160, 160, 96, 24, 3, 1, 1, false},
    {"depthwise 3x3, 112x112, 96", 112, 112, 96, 96, 3, 1, 96, false},
    {"depthwise 3x3, 14x14, 96", 14, 14, 96, 96, 3, 1, 96, false},
    {"depthwise 5x5, 12x80, 240", 12, 80, 240, 240, 5, 1, 240, false},
    {"depthwise 3x3 / 2, 56x56, 144", 56, 56, 144, 144, 3, 2, 144, false},
    {"matmul 1 x 1000 x 1000", 1, 1, 1000, 1000, 1, 1, 1, true},
    {"matmul 1 x 4096 x 4096", 1, 1, 4096, 4096, 1, 1, 1, true},
};

struct Kind {
  const char* name;
  DType a, b;
};
constexpr Kind kKinds[] = {{"int8 x int8", DType::kInt8, DType::kInt8},
                           {"int16 x int8", DType::kInt16, DType::kInt8},
                           {"int16 x int16", DType::kInt16, DType::kInt16}};

// CPU time of this thread, which does all the work: others may use the machine meanwhile.
double thread_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const std::function<void()>& body) {
  const double start = thread_seconds();
  body();
  return thread_seconds() - start;
}

std::vector<std::byte> random_integers(DType dtype, int64_t n) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(static_cast<size_t>(n) * byte_size(dtype));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

int64_t value_at(DType dtype, const std::vector<std::byte>& bytes, int64_t i) {
  int16_t value;
  if (dtype == DType::kInt8) return static_cast<int8_t>(bytes[static_cast<size_t>(i)]);
  std::memcpy(&value, bytes.data() + 2 * i, 2);
  return value;
}

// One of our contenders.
class Ours {
 public:
  Ours(const Work& work, const Kind& kind) : work_(work), kind_(kind) {
    a_ = random_integers(kind.a, work.height * work.width * work.channels);
    b_ = random_integers(kind.b, work.out_channels * work.channels / work.group * work.kernel * work.kernel);
    OutputForm form{.dtype = kind.a, .multiplier = {}};
    const double k = static_cast<double>(work.channels / work.group * work.kernel * work.kernel);
    const double size = byte_size(kind.b) == 1 ? 74.0 : 19000.0;
    form.multiplier.assign(static_cast<size_t>(work.out_channels), 1 / (size * std::sqrt(k)) * 0.987654321);
    form.low = kind.a == DType::kInt8 ? -128 : -32768;
    form.high = -1 - form.low;
    const int64_t pad = work.kernel / 2, end = work.stride == 1 ? pad : pad - 1;
    axes_ = conv_axes({{work.kernel, work.kernel}, {work.stride, work.stride}, {1, 1}, {pad, pad, end, end}},
                      {work.height, work.width});
    const ConvWeights weights = {.dtype = kind.b,
                                 .data = b_.data(),
                                 .out_channels = work.out_channels,
                                 .group_channels = work.channels / work.group,
                                 .kernel = {1, work.kernel, work.kernel},
                                 .group = work.group};
    conv_ = std::make_unique<Conv>(weights, kind.a, 0, std::span<const int64_t>(), std::span(&form, 1));
    form_ = form;
    y_.resize(static_cast<size_t>(work.out_height() * work.out_width() * work.out_channels) * byte_size(kind.a));
  }
  void run() {
    const OutputRows place = {y_.data(), work_.out_channels};
    conv_->run({kind_.a, a_.data(), 1, {work_.height, work_.width}, work_.channels, 0}, axes_, std::span(&place, 1));
  }
  // Compares 2000 outputs with sums in int64.
  bool is_right() {
    run();
    std::mt19937 random(2);
    for (int i = 0; i < 2000; ++i) {
      const int64_t m = random() % static_cast<uint64_t>(work_.out_channels);
      const int64_t y = random() % static_cast<uint64_t>(work_.out_height());
      const int64_t x = random() % static_cast<uint64_t>(work_.out_width());
      const int64_t channels = work_.channels / work_.group, taps = work_.kernel * work_.kernel;
      int64_t sum = 0;
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t iy = y * work_.stride + tap / work_.kernel - work_.kernel / 2;
        const int64_t ix = x * work_.stride + tap % work_.kernel - work_.kernel / 2;
        if (iy < 0 || ix < 0 || iy >= work_.height || ix >= work_.width) continue;
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t channel = m / (work_.out_channels / work_.group) * channels + c;
          sum += value_at(kind_.a, a_, (iy * work_.width + ix) * work_.channels + channel) *
                 value_at(kind_.b, b_, (m * channels + c) * taps + tap);
        }
      }
      double expected = std::nearbyint(static_cast<double>(sum) * form_.multiplier[0]);
      expected = std::min<double>(std::max<double>(expected, form_.low), form_.high);
      if (static_cast<double>(value_at(kind_.a, y_, (y * work_.out_width() + x) * work_.out_channels + m)) !=
          expected) {
        return false;
      }
    }
    return true;
  }

 private:
  const Work& work_;
  Kind kind_;
  OutputForm form_;
  std::array<ConvAxis, 3> axes_;
  std::unique_ptr<Conv> conv_;
  std::vector<std::byte> a_, b_, y_;
};

// Best rate of each contender in multiplications per second; contenders take turns, since the machine's speed drifts.
std::vector<double> best_rates(const std::vector<std::function<double()>>& contenders, double seconds) {
  std::vector<double> best(contenders.size(), 0);
  const double start = thread_seconds(), budget = seconds * static_cast<double>(contenders.size());
  while (thread_seconds() - start < budget) {
    for (size_t i = 0; i < contenders.size(); ++i) best[i] = std::max(best[i], contenders[i]());
  }
  return best;
}

// Times `body` until a millisecond is full.
std::function<double()> rate_of(double macs, std::function<void()> body) {
  const double once = seconds_of(body);
  const int repeats = std::clamp(static_cast<int>(0.001 / once), 1, 1000);
  return [=] {
    const double seconds = seconds_of([&] {
      for (int i = 0; i < repeats; ++i) body();
    });
    return macs * repeats / seconds;
  };
}

int run(double seconds, const std::string& only, const std::string& only_isa) {
  const ThreadScope one_thread(1);
  const auto peak = [](Isa isa, Dot dot) {
    return [=] {
      int64_t macs = 0;
      const double time = seconds_of([&] { macs = run_in_registers(isa, dot, 50000); });
      return static_cast<double>(macs) / time;
    };
  };
  std::printf("| work | operands | instructions | GMAC/s | of the peak, %% | x fp32 |\n|---|---|---|---|---|---|\n");
  for (const Work& work : kWork) {
    if (!only.empty() && std::string(work.name).find(only) == std::string::npos) continue;
    const std::function<double()> fp32 = rate_of(work.macs(), onednn_float(work));
    for (const Isa isa : available_isas()) {
      if (isa == Isa::kScalar || (!only_isa.empty() && to_string(isa) != only_isa)) continue;
      const IsaScope scope(isa);
      for (const Kind& kind : kKinds) {
        Ours ours(work, kind);
        if (!ours.is_right()) {
          std::printf("%s, %s: WRONG\n", work.name, kind.name);
          return 1;
        }
        const std::vector<double> rates = best_rates(
            {fp32, rate_of(work.macs(), [&] { ours.run(); }), peak(isa, Dot::kQuads), peak(isa, Dot::kPairs)}, seconds);
        const bool quads = rates[2] > 0;
        // Full 16 x 16 bits need every pair dot, and the high bytes' dots besides.
        const double limit = byte_size(kind.a) == 1 && quads ? rates[2]
                             : byte_size(kind.b) == 1        ? rates[3]
                             : quads                         ? 1 / (1 / rates[3] + 1 / rates[2])
                                                             : rates[3] / 2;
        std::printf("| %s | %s | %s | %.1f | %.0f | %.2f |\n", work.name, kind.name,
                    std::string(to_string(isa)).c_str(), rates[1] / 1e9, 100 * rates[1] / limit, rates[1] / rates[0]);
        std::fflush(stdout);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace twofold::kernels

int main(int argc, char** argv) {
  return twofold::kernels::run(argc > 1 ? std::atof(argv[1]) : 0.3, argc > 2 ? argv[2] : "", argc > 3 ? argv[3] : "");
}
