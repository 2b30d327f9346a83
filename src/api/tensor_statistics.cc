#include "twofold/tensor_statistics.h"

#include "base/byte_stream.h"
#include "base/error.h"
#include "calibrate/range_search.h"
#include "calibrate/range_statistics.h"

namespace twofold {

TensorStatistics::TensorStatistics() : seen_(std::make_unique<RangeStatistics>(ObserveLevel::kHistogram)) {}
TensorStatistics::TensorStatistics(TensorStatistics&&) noexcept = default;
TensorStatistics& TensorStatistics::operator=(TensorStatistics&&) noexcept = default;
TensorStatistics::~TensorStatistics() = default;

TensorStatistics TensorStatistics::from_bytes(std::span<const std::byte> bytes) {
  ByteReader in(bytes, "statistics of a tensor");
  TensorStatistics result;
  *result.seen_ = RangeStatistics::read(in);
  in.expect_end();
  if (result.seen_->level() != ObserveLevel::kHistogram) in.fail("there is no histogram");
  return result;
}

void TensorStatistics::observe(const Tensor& tensor) { seen_->observe(tensor); }
void TensorStatistics::merge(const TensorStatistics& other) { seen_->merge(*other.seen_); }

std::vector<std::byte> TensorStatistics::to_bytes() const {
  ByteWriter out;
  seen_->write(out);
  return out.take();
}

uint64_t TensorStatistics::count() const { return seen_->count(); }
float TensorStatistics::min() const { return seen_->min(); }
float TensorStatistics::max() const { return seen_->max(); }

float TensorStatistics::threshold(std::string_view method, QType qtype, double percentile, int num_bin) const {
  const std::optional<RangeMethod> parsed = parse_range_method(method);
  if (!parsed) {
    throw_error(ErrorCode::kInvalidArgument, "there is no range method '{}'; there are max, percentile, kl and mse",
                method);
  }
  if (!is_integer(qtype)) throw_error(ErrorCode::kInvalidArgument, "{} has no threshold", to_string(qtype));
  const RangeOptions options{.method = *parsed, .percentile = percentile, .num_bin = num_bin};
  return search_threshold(*seen_, options, qtype);
}

}  // namespace twofold
