#include "quantize/split_group.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace twofold {

namespace {

// The finest resolution that readers of a scale need: the smallest extent among them.
struct Need {
  float extent = std::numeric_limits<float>::infinity();
  size_t operand = 0;
};

struct Scale {
  std::vector<ValueId> observed;
  float extent = 0;
  std::array<Need, 2> needs = {};  // of readers in 8 bits, and in 16

  float finest() const { return std::min(needs[0].extent, needs[1].extent); }
};

size_t width(QType qtype) { return is_16bit(qtype) ? 1 : 0; }

class Splitter {
 public:
  Splitter(const MoverGroup& group, const Plan& plan, const ValueBounds& bounds, const std::vector<ValueId>& observed)
      : group_(group), plan_(plan), bounds_(bounds), observed_(observed) {}

  SplitGroup run() {
    std::set<ValueId> moved;
    for (auto mover = group_.movers.rbegin(); mover != group_.movers.rend(); ++mover) {
      moved.insert(mover->outputs.begin(), mover->outputs.end());
      settle(*mover);
    }
    for (const auto& [value, readers] : group_.values) {
      if (!moved.contains(value)) join_alike(scales_read(value));
    }
    return result();
  }

 private:
  size_t add(Scale scale) {
    scales_.push_back(std::move(scale));
    parent_.push_back(parent_.size());
    return parent_.size() - 1;
  }

  size_t root(size_t scale) const {
    while (parent_[scale] != scale) scale = parent_[scale];
    return scale;
  }

  // The range of a value.
  Scale range_of(ValueId value) const {
    const std::vector<ValueId> alone = {value};
    if (const auto own = extent(bounds_, alone, group_.asymmetric)) return {alone, *own};
    return {observed_, extent(bounds_, observed_, group_.asymmetric).value_or(0)};
  }

  // The scale of what computes with a value.
  size_t own_scale(ValueId value) {
    if (const auto it = of_value_.find(value); it != of_value_.end()) return it->second;
    Scale own = range_of(value);
    for (const size_t position : group_.values.at(value).direct) {
      Need& need = own.needs[width(plan_.operands()[position].granted)];
      // Zeros are zeros at any scale.
      if (own.extent > 0 && own.extent < need.extent) need = {own.extent, position};
    }
    return of_value_[value] = add(std::move(own));
  }

  // The scales that a value is read with.
  std::vector<size_t> scales_read(ValueId value) {
    const GroupReaders& readers = group_.values.at(value);
    std::vector<size_t> scales;
    if (!readers.direct.empty()) scales.push_back(own_scale(value));
    for (const MoverInput& input : readers.movers) scales.push_back(of_input_.at(input));
    return in_order(std::move(scales));
  }

  // Each once, from narrow to wide.
  std::vector<size_t> in_order(std::vector<size_t> scales) const {
    for (size_t& scale : scales) scale = root(scale);
    std::ranges::sort(scales);
    scales.erase(std::unique(scales.begin(), scales.end()), scales.end());
    std::ranges::stable_sort(scales, {}, [this](size_t scale) { return scales_[scale].extent; });
    return scales;
  }

  // Makes `b` the same scale as `a`, where that costs no reader of either too much.
  bool join(size_t a, size_t b) {
    Scale& to = scales_[a];
    const Scale& from = scales_[b];
    if (std::max(to.extent, from.extent) > kSharedScaleRatio * std::min(to.finest(), from.finest())) return false;
    if (from.extent >= to.extent) {
      to.observed = from.observed;
      to.extent = from.extent;
    }
    for (size_t i = 0; i < to.needs.size(); ++i) {
      if (from.needs[i].extent < to.needs[i].extent) to.needs[i] = from.needs[i];
    }
    parent_[b] = a;
    return true;
  }

  void join_alike(const std::vector<size_t>& scales) {
    size_t current = 0;
    for (size_t i = 1; i < scales.size(); ++i) {
      if (!join(scales[current], scales[i])) current = i;
    }
  }

  // What a mover must hold of one of its results: all of it, or as much as anything reads.
  Scale held(ValueId output, const std::vector<size_t>& read) const {
    const Scale whole = range_of(output);
    if (group_.values.at(output).as_float || read.empty()) return whole;
    const Scale& widest = scales_[read.back()];
    return whole.extent <= widest.extent ? whole : Scale{widest.observed, widest.extent};
  }

  // Gives all inputs of a mover one scale. REQUIRES: the movers behind it have theirs.
  void settle(const Mover& mover) {
    Scale needed;
    std::vector<size_t> read;
    for (const ValueId output : mover.outputs) {
      const std::vector<size_t> of_output = scales_read(output);
      read.insert(read.end(), of_output.begin(), of_output.end());
      Scale part = held(output, of_output);
      if (needed.observed.empty() || part.extent > needed.extent) needed = std::move(part);
    }
    const size_t moved = add(std::move(needed));
    std::vector<size_t> apart;
    for (const size_t scale : in_order(std::move(read))) {
      if (!join(moved, scale)) apart.push_back(scale);
    }
    for (const size_t scale : apart) note_losses(mover, scales_[moved].extent, scales_[scale]);
    for (const MoverInput& input : mover.inputs) of_input_[input] = moved;
  }

  // Integers in 16 bits are 2^8 times as fine as those of a reader in 8.
  void note_losses(const Mover& mover, float moved, const Scale& read) {
    for (size_t i = 0; i < read.needs.size(); ++i) {
      const float finer = width(mover.qtype) > i ? 256.0F : 1.0F;
      const float ratio = moved / read.needs[i].extent / finer;
      if (ratio > kSharedScaleRatio) losses_.push_back({read.needs[i].operand, mover.node, ratio});
    }
  }

  SplitGroup result() {
    SplitGroup split;
    std::map<size_t, size_t> numbers;  // of scales that are left
    const auto number = [&](size_t scale) {
      const auto [entry, is_new] = numbers.try_emplace(root(scale), split.observed.size());
      if (is_new) split.observed.push_back(scales_[root(scale)].observed);
      return entry->second;
    };
    for (const auto& [value, scale] : of_value_) split.of_value[value] = number(scale);
    for (const auto& [input, scale] : of_input_) split.of_input[input] = number(scale);
    split.losses = std::move(losses_);
    return split;
  }

  const MoverGroup& group_;
  const Plan& plan_;
  const ValueBounds& bounds_;
  const std::vector<ValueId>& observed_;
  std::vector<Scale> scales_;
  std::vector<size_t> parent_;  // of scales that were joined
  std::map<ValueId, size_t> of_value_;
  std::map<MoverInput, size_t> of_input_;
  std::vector<SharedScaleLoss> losses_;
};

}  // namespace

SplitGroup split_group(const MoverGroup& group, const Plan& plan, const ValueBounds& bounds,
                       const std::vector<ValueId>& observed) {
  return Splitter(group, plan, bounds, observed).run();
}

}  // namespace twofold
