#include "ops/recurrence.h"

#include <algorithm>
#include <limits>

#include "base/parallel_for.h"
#include "loops/fixed_gemm.h"
#include "loops/strided_copy.h"

namespace twofold {

namespace {

int64_t num_gates(Cell cell) { return cell == Cell::kRnn ? 1 : cell == Cell::kGru ? 3 : 4; }

// The weights of one direction, with the input dimension first: r is [hidden, gates]. GRU: the columns of the candidate
// are in `candidate` ([hidden, hidden]) instead where the reset gate comes first.
struct Weights {
  Tensor r, candidate;
  FloatList wb, rb;    // `gates` each
  FloatList peephole;  // LSTM: input, output, forget; zeros if there are none
};

// h and c of all batch entries, [batch, hidden] each.
struct State {
  FloatList h, c;
};

// Columns [first, first + count) of the transpose of one direction's [gates·hidden, columns] matrix.
Tensor transposed(const Tensor& matrices, int64_t direction, int64_t first, int64_t count) {
  const int64_t rows = matrices.dim(1), columns = matrices.dim(2);
  Tensor result(DType::kFloat32, {columns, count});
  const int64_t offset = (direction * rows + first) * columns * static_cast<int64_t>(sizeof(float));
  strided_copy(sizeof(float), {{columns, 1, count}, {count, columns, 1}}, matrices.bytes() + offset,
               result.mutable_bytes());
  return result;
}

bool splits_candidate(const Recurrence& s) { return s.cell == Cell::kGru && !s.linear_before_reset; }

Weights read_weights(const OpCall& call, const Recurrence& s, int64_t direction) {
  const int64_t gates = s.gates;
  const int64_t recurrent = splits_candidate(s) ? 2 * s.hidden : gates;
  Weights weights{transposed(call.input(2), direction, 0, recurrent),
                  splits_candidate(s) ? transposed(call.input(2), direction, recurrent, s.hidden) : Tensor(),
                  FloatList(static_cast<size_t>(gates), call.allocator()),
                  FloatList(static_cast<size_t>(gates), call.allocator()),
                  FloatList(static_cast<size_t>(3 * s.hidden), call.allocator())};
  if (call.has_input(3)) {
    const float* b = call.input(3).data<float>().data() + direction * 2 * gates;
    weights.wb.assign(b, b + gates);
    weights.rb.assign(b + gates, b + 2 * gates);
  }
  if (s.cell == Cell::kLstm && call.has_input(7)) {
    require_shape(call.input(7), {s.directions, 3 * s.hidden}, "P");
    const float* p = call.input(7).data<float>().data() + direction * 3 * s.hidden;
    weights.peephole.assign(p, p + 3 * s.hidden);
  }
  return weights;
}

// One batch entry at one step: x = W·X, rh = R·H, both without biases; h and c are its state.
struct Entry {
  const Recurrence& s;
  const Weights& weights;
  const RnnActivation* f;
  const float* x;
  const float* rh;
  float* h;
  float* c;

  float activate(int i, float v) const { return f[i](std::clamp(v, -s.clip, s.clip)); }
  float gate(int64_t g, int64_t i) const {
    const int64_t k = g * s.hidden + i;
    return x[k] + rh[k] + weights.wb[static_cast<size_t>(k)] + weights.rb[static_cast<size_t>(k)];
  }
  float peephole(int64_t g, int64_t i, float cell) const {
    return weights.peephole[static_cast<size_t>(g * s.hidden + i)] * cell;
  }
};

void step_rnn(const Entry& e) {
  for (int64_t i = 0; i < e.s.hidden; ++i) e.h[i] = e.activate(0, e.gate(0, i));
}

// Gates: input, output, forget, cell.
void step_lstm(const Entry& e) {
  for (int64_t i = 0; i < e.s.hidden; ++i) {
    const float before = e.c[i];
    const float in = e.activate(0, e.gate(0, i) + e.peephole(0, i, before));
    const float forget = e.s.input_forget ? 1.0F - in : e.activate(0, e.gate(2, i) + e.peephole(2, i, before));
    e.c[i] = forget * before + in * e.activate(1, e.gate(3, i));
    const float out = e.activate(0, e.gate(1, i) + e.peephole(1, i, e.c[i]));
    e.h[i] = out * e.activate(2, e.c[i]);
  }
}

// Gates: update, reset, candidate. Without linear_before_reset R·(r∘h) is a product of its own, and `scaled` and
// `product` have `hidden` elements for it.
void step_gru(const Entry& e, float* scaled, float* product) {
  const int64_t n = e.s.hidden;
  const auto bias = [&](const FloatList& b, int64_t i) { return b[static_cast<size_t>(2 * n + i)]; };
  if (!e.s.linear_before_reset) {
    for (int64_t i = 0; i < n; ++i) scaled[i] = e.activate(0, e.gate(1, i)) * e.h[i];
    fixed_gemm<float>(1, n, n, scaled, e.weights.candidate.data<float>().data(), product);
  }
  for (int64_t i = 0; i < n; ++i) {
    const float update = e.activate(0, e.gate(0, i));
    float sum = e.x[2 * n + i] + bias(e.weights.wb, i);
    if (e.s.linear_before_reset) {
      sum += e.activate(0, e.gate(1, i)) * (e.rh[2 * n + i] + bias(e.weights.rb, i));
    } else {
      sum += product[i] + bias(e.weights.rb, i);
    }
    e.h[i] = (1.0F - update) * e.activate(1, sum) + update * e.h[i];
  }
}

// One direction over all steps; y (may be null) is [steps, directions, batch, hidden], already at the direction.
void run_direction(const OpCall& call, const Recurrence& s, int64_t direction, const InputProducts& wx, State& state,
                   float* y) {
  const Weights weights = read_weights(call, s, direction);
  const int64_t recurrent = weights.r.dim(1);
  FloatList rh(static_cast<size_t>(s.batch * recurrent), call.allocator());
  const int64_t candidates = splits_candidate(s) ? s.hidden : 0;
  FloatList scaled(static_cast<size_t>(s.batch * candidates), call.allocator());
  FloatList product(static_cast<size_t>(s.batch * candidates), call.allocator());
  const size_t per_direction = s.activations.size() / static_cast<size_t>(s.directions);
  const RnnActivation* f = s.activations.data() + static_cast<size_t>(direction) * per_direction;
  const bool reversed = s.first_reversed || direction == 1;
  for (int64_t step = 0; step < s.steps; ++step) {
    fixed_gemm<float>(s.batch, recurrent, s.hidden, state.h.data(), weights.r.data<float>().data(), rh.data());
    parallel_for(s.batch, std::max<int64_t>(1, 256 / s.hidden), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t length = s.lengths[static_cast<size_t>(b)];
        if (step >= length) continue;
        const int64_t t = reversed ? length - 1 - step : step;
        float* h = state.h.data() + b * s.hidden;
        const Entry entry{s, weights, f, wx.at(t, b), rh.data() + b * recurrent, h, state.c.data() + b * s.hidden};
        if (s.cell == Cell::kRnn) step_rnn(entry);
        if (s.cell == Cell::kLstm) step_lstm(entry);
        if (s.cell == Cell::kGru) step_gru(entry, scaled.data() + b * candidates, product.data() + b * candidates);
        if (y != nullptr) std::copy_n(h, s.hidden, y + (t * s.directions * s.batch + b) * s.hidden);
      }
    });
  }
}

// [a, b, ...] as [b, a, ...] or, for Y of layout 1, [steps, directions, batch, hidden] as [batch, steps, ...].
Tensor permuted(const Tensor& x, const std::vector<size_t>& perm) {
  Shape shape;
  for (size_t p : perm) shape.push_back(x.shape()[p]);
  Tensor result(x.dtype(), std::move(shape));
  const std::vector<int64_t> in = element_strides(x.shape()), out = element_strides(result.shape());
  std::vector<CopyDim> dims;
  for (size_t d = 0; d < perm.size(); ++d) dims.push_back({result.shape()[d], in[perm[d]], out[d]});
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes(), result.mutable_bytes());
  return result;
}

// initial_h or initial_c as [directions, batch, hidden].
Tensor initial_state(const OpCall& call, const Recurrence& s, int input, std::string_view what) {
  if (s.cell != Cell::kLstm && input == 6) input = call.num_inputs();
  if (!call.has_input(input)) {
    Tensor zeros(DType::kFloat32, {s.directions, s.batch, s.hidden});
    std::ranges::fill(zeros.mutable_data<float>(), 0.0F);
    return zeros;
  }
  if (!s.batch_first) {
    require_shape(call.input(input), {s.directions, s.batch, s.hidden}, what);
    return call.input(input);
  }
  require_shape(call.input(input), {s.batch, s.directions, s.hidden}, what);
  return permuted(call.input(input), {1, 0, 2});
}

}  // namespace

void require_shape(const Tensor& tensor, const Shape& shape, std::string_view what) {
  if (tensor.shape() == shape) return;
  throw_error(ErrorCode::kInvalidModel, "{} must have shape {}, but has {}", what, to_string(shape),
              to_string(tensor.shape()));
}

Recurrence read_recurrence(const OpCall& call, Cell cell) {
  const Attributes& attributes = call.attributes();
  const Tensor& x = call.input(0);
  const Tensor& r = call.input(2);
  require_rank(x, 3, "X");
  require_rank(r, 3, "R");
  Recurrence s{.cell = cell};
  s.batch_first = attributes.get_int("layout", 0) != 0;
  s.steps = x.dim(s.batch_first ? 1 : 0);
  s.batch = x.dim(s.batch_first ? 0 : 1);
  s.hidden = attributes.get_int("hidden_size", r.dim(2));
  const std::string direction = attributes.get_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    throw_error(ErrorCode::kInvalidModel, "direction '{}' is none of forward, reverse, bidirectional", direction);
  }
  s.directions = direction == "bidirectional" ? 2 : 1;
  s.first_reversed = direction == "reverse";
  s.linear_before_reset = attributes.get_int("linear_before_reset", 0) != 0;
  s.input_forget = attributes.get_int("input_forget", 0) != 0;
  s.clip = attributes.get_float("clip", std::numeric_limits<float>::infinity());
  if (!(s.clip >= 0)) throw_error(ErrorCode::kInvalidModel, "clip {} is not a threshold", s.clip);
  const std::vector<std::string> defaults = {cell == Cell::kRnn ? "Tanh" : "Sigmoid", "Tanh", "Tanh"};
  const size_t count = cell == Cell::kLstm ? 3 : cell == Cell::kGru ? 2 : 1;
  s.activations = read_rnn_activations(attributes, {defaults.begin(), defaults.begin() + static_cast<int64_t>(count)},
                                       static_cast<size_t>(s.directions));
  if (s.hidden < 1 || s.hidden > 1 << 24) {
    throw_error(ErrorCode::kInvalidModel, "hidden_size {} is not allowed", s.hidden);
  }
  s.gates = num_gates(cell) * s.hidden;
  require_shape(r, {s.directions, s.gates, s.hidden}, "R");
  if (call.has_input(3)) require_shape(call.input(3), {s.directions, 2 * s.gates}, "B");
  s.lengths = IntList(static_cast<size_t>(s.batch), s.steps, call.allocator());
  if (call.has_input(4)) {
    require_shape(call.input(4), {s.batch}, "sequence_lens");
    s.lengths = read_ints(call.input(4), "sequence_lens", call.allocator());
  }
  for (int64_t length : s.lengths) {
    if (length < 0 || length > s.steps) {
      throw_error(ErrorCode::kInvalidArgument, "a sequence of {} does not fit {} steps", length, s.steps);
    }
  }
  return s;
}

void run_recurrence(OpCall& call, const Recurrence& s,
                    const std::function<InputProducts(int64_t direction)>& products) {
  Tensor last_h = initial_state(call, s, 5, "initial_h"), last_c = initial_state(call, s, 6, "initial_c");
  Tensor y;
  if (call.wants_output(0)) {
    y = Tensor(DType::kFloat32, {s.steps, s.directions, s.batch, s.hidden});
    std::ranges::fill(y.mutable_data<float>(), 0.0F);
  }
  const int64_t plane = s.batch * s.hidden;
  for (int64_t d = 0; d < s.directions; ++d) {
    float* h = last_h.mutable_data<float>().data() + d * plane;
    float* c = last_c.mutable_data<float>().data() + d * plane;
    State state{{h, h + plane, call.allocator()}, {c, c + plane, call.allocator()}};
    run_direction(call, s, d, products(d), state, y.defined() ? y.mutable_data<float>().data() + d * plane : nullptr);
    std::ranges::copy(state.h, h);
    std::ranges::copy(state.c, c);
  }
  if (y.defined()) call.set_output(0, s.batch_first ? permuted(y, {2, 0, 1, 3}) : y);
  call.set_output(1, s.batch_first ? permuted(last_h, {1, 0, 2}) : last_h);
  if (s.cell == Cell::kLstm) call.set_output(2, s.batch_first ? permuted(last_c, {1, 0, 2}) : last_c);
}

}  // namespace twofold
