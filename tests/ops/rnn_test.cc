#include <cmath>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One LSTM step in double, straight from the equations; gates in the order input, output, forget, cell.
void lstm_step(const Tensor& x, const Tensor& w, const Tensor& r, const Tensor& b, size_t step, std::vector<double>& h,
               std::vector<double>& c) {
  const size_t hidden = h.size(), input = static_cast<size_t>(x.dim(2));
  const auto gate = [&](size_t g, size_t i) {
    const size_t row = g * hidden + i;
    double sum = b.data<float>()[row] + b.data<float>()[4 * hidden + row];
    for (size_t k = 0; k < input; ++k) sum += w.data<float>()[row * input + k] * x.data<float>()[step * input + k];
    for (size_t k = 0; k < hidden; ++k) sum += r.data<float>()[row * hidden + k] * h[k];
    return sum;
  };
  std::vector<double> next(hidden);
  for (size_t i = 0; i < hidden; ++i) {
    c[i] = sigmoid(gate(2, i)) * c[i] + sigmoid(gate(0, i)) * std::tanh(gate(3, i));
    next[i] = sigmoid(gate(1, i)) * std::tanh(c[i]);
  }
  h = next;
}

TEST(Lstm, AgreesWithTheEquations) {
  const Tensor x = random_tensor({4, 1, 3}, 1), w = random_tensor({1, 20, 3}, 2), r = random_tensor({1, 20, 5}, 3),
               b = random_tensor({1, 40}, 4);
  const auto out = run_op("LSTM", {x, w, r, b}, {{"hidden_size", int64_t{5}}}, 3);
  std::vector<double> h(5, 0), c(5, 0);
  for (size_t t = 0; t < 4; ++t) {
    lstm_step(x, w, r, b, t, h, c);
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(out[0].data<float>()[t * 5 + i], h[i], 1e-6);
  }
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(out[1].data<float>()[i], h[i], 1e-6);
    EXPECT_NEAR(out[2].data<float>()[i], c[i], 1e-6);
  }
}

TEST(Lstm, BothDirectionsAreTheTwoAlone) {
  const Tensor x = random_tensor({6, 3, 4}, 1), w = random_tensor({2, 32, 4}, 2), r = random_tensor({2, 32, 8}, 3);
  const Tensor lengths = tensor<int32_t>({3}, {6, 2, 0});
  const auto half = [](const Tensor& t, size_t d) {
    const size_t n = static_cast<size_t>(t.size()) / 2;
    return Tensor::from<float>({1, t.dim(1), t.dim(2)}, t.data<float>().subspan(d * n, n));
  };
  const auto both = run_op("LSTM", {x, w, r, Tensor(), lengths}, {{"direction", std::string("bidirectional")}}, 2, 2);
  for (size_t d = 0; d < 2; ++d) {
    const auto one = run_op("LSTM", {x, half(w, d), half(r, d), Tensor(), lengths},
                            {{"direction", std::string(d == 0 ? "forward" : "reverse")}}, 2);
    expect_same(half(both[1], d), one[1]);
    for (size_t t = 0; t < 6; ++t) {
      for (size_t i = 0; i < 24; ++i) {
        EXPECT_EQ(both[0].data<float>()[(t * 2 + d) * 24 + i], one[0].data<float>()[t * 24 + i]);
      }
    }
  }
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(both[0].data<float>()[(2 * 2 * 3 + 1) * 8 + i], 0.0F);  // past the length
}

TEST(Gru, BothPlacesOfTheResetGate) {
  // All weights 0.5, no bias, one unit: z and r are sigmoid(x/2 + h/2).
  const Tensor x = tensor<float>({2, 1, 1}, {1, -2}), w = tensor<float>({1, 3, 1}, {0.5F, 0.5F, 0.5F});
  for (int64_t linear : {0, 1}) {
    const auto out = run_op("GRU", {x, w, w}, {{"linear_before_reset", linear}}, 2);
    double h = 0;
    for (double v : {1.0, -2.0}) {
      const double z = sigmoid(0.5 * v + 0.5 * h), n = std::tanh(0.5 * v + z * h * 0.5);
      h = (1 - z) * n + z * h;
    }
    EXPECT_NEAR(out[1].data<float>()[0], h, 1e-6);
  }
  // A bias of the recurrence is inside the reset only with linear_before_reset.
  const Tensor b = tensor<float>({1, 6}, {0, 0, 0, 0, 0, 1});
  const Tensor once = tensor<float>({1, 1, 1}, {0});
  EXPECT_NEAR(run_op("GRU", {once, w, w, b}, {}, 2)[1].data<float>()[0], 0.5 * std::tanh(1.0), 1e-6);
  EXPECT_NEAR(run_op("GRU", {once, w, w, b}, {{"linear_before_reset", int64_t{1}}}, 2)[1].data<float>()[0],
              0.5 * std::tanh(0.5), 1e-6);
}

TEST(Rnn, ActivationsAndClip) {
  const Tensor x = tensor<float>({1, 1, 1}, {3}), w = tensor<float>({1, 1, 1}, {1});
  const auto run = [&](const std::string& name, float alpha) {
    return run_op("RNN", {x, w, w},
                  {{"activations", std::vector<std::string>{name}},
                   {"activation_alpha", std::vector<float>{alpha}},
                   {"clip", 2.0F}},
                  2)[1]
        .data<float>()[0];
  };
  EXPECT_EQ(run("Relu", 0), 2.0F);
  EXPECT_EQ(run("affine", 3), 6.0F);
  EXPECT_EQ(run("HardSigmoid", 0.1F), 0.2F + 0.5F);
  EXPECT_EQ(run("ThresholdedRelu", 2.5F), 0.0F);
}

TEST(Rnn, RejectsBadArguments) {
  const Tensor x = random_tensor({2, 1, 3}, 1), w = random_tensor({1, 4, 3}, 2), r = random_tensor({1, 4, 4}, 3);
  EXPECT_EQ(error_of("RNN", {x, w, r}), std::nullopt);
  EXPECT_EQ(error_of("RNN", {x, r, r}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("RNN", {x, w, r}, {{"hidden_size", int64_t{5}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("RNN", {x, w, r}, {{"hidden_size", int64_t{-1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("RNN", {x, w, r}, {{"direction", std::string("up")}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("RNN", {x, w, r}, {{"activations", std::vector<std::string>{"Step"}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("RNN", {x, w, r, Tensor(), tensor<int32_t>({1}, {3})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("LSTM", {x, w, r}), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
