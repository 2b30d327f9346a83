#include "twofold/distributions.h"

#include <algorithm>

#include "api/debug_steps.h"
#include "api/figures.h"
#include "api/operand_numbers.h"
#include "base/error.h"
#include "base/file_names.h"
#include "base/files.h"
#include "debug/operand_statistics.h"

namespace twofold {

DistributionReport distributions_of_case(DebugCase& subject, const DistributionJob& job) {
  const std::vector<size_t> operands = operands_named(subject, job.nodes);
  DistributionReport report{subject.model_path(), {}, {}};
  make_folders(job.save_dir);
  report.operands = operand_numbers(subject, operands, job.data_num);
  FileNames names;
  for (const OperandNumbers& operand : report.operands) {
    const std::filesystem::path file = job.save_dir / (names.next(operand.node + "-" + operand.operand) + ".svg");
    save_figure(histogram_figure(operand), file);
    report.files.push_back(file.string());
  }
  report.files.push_back((job.save_dir / "distribution.json").string());
  write_file(report.files.back(), to_json(report));
  return report;
}

DistributionReport plot_distribution(const DebugSubject& subject, const DistributionJob& job) {
  DebugCase opened(subject);
  return distributions_of_case(opened, job);
}

namespace {

// The box plots of tensors that are named, or of all.
class Channels {
 public:
  Channels(DebugCase& subject, const DistributionJob& job) : case_(subject), job_(job) {}

  ChannelReport run() {
    report_.model = case_.model_path();
    pick();
    make_folders(job_.save_dir);
    for (size_t begin = 0; begin < report_.tensors.size();) begin = measure(begin);
    FileNames names;
    for (const ChannelRow& row : report_.tensors) {
      const std::filesystem::path file = job_.save_dir / (names.next(row.tensor) + ".svg");
      save_figure(boxes_figure(row), file);
      report_.files.push_back(file.string());
    }
    report_.files.push_back((job_.save_dir / "channelwise_distribution.json").string());
    write_file(report_.files.back(), to_json(report_));
    return std::move(report_);
  }

  // Tensors of a named node that lack the axis are left out, as long as one has it.
  void pick() {
    std::set<std::string> done;
    std::string lacking;
    for (const size_t position : operands_named(case_, job_.nodes)) {
      const OperandPlan& operand = case_.plan().operands()[position];
      if (!done.insert(operand.value).second) continue;
      const int rank = static_cast<int>(shape_of(operand.value).size());
      const int axis = job_.axis.value_or(case_.graph().constant(value_of(operand.value)) != nullptr ? 0 : 1);
      if (axis >= -rank && axis < rank) {
        report_.tensors.push_back({operand.value, operand.node, axis < 0 ? axis + rank : axis, {}});
        continue;
      }
      lacking = fmt::format("tensor '{}' has {} dimensions and no axis {}", operand.value, rank, axis);
      const bool is_named = std::ranges::find(job_.nodes, operand.value) != job_.nodes.end();
      if (is_named) throw_error(ErrorCode::kInvalidArgument, "{}", lacking);
    }
    if (!job_.nodes.empty() && report_.tensors.empty()) throw_error(ErrorCode::kInvalidArgument, "{}", lacking);
  }

 private:
  ValueId value_of(const std::string& tensor) const { return case_.graph().find_value(tensor); }
  const Shape& shape_of(const std::string& tensor) {
    return case_.measured(job_.data_num).shapes().at(value_of(tensor));
  }

  // As many tensors as the memory holds at once; at least one. Where the next ones begin.
  size_t measure(size_t begin) {
    CalibratedModel& model = case_.measured(job_.data_num);
    std::map<ValueId, int> axes;
    double bytes = 0;
    size_t end = begin;
    for (; end < report_.tensors.size(); ++end) {
      const ChannelRow& row = report_.tensors[end];
      bytes += static_cast<double>(num_elements(shape_of(row.tensor))) * sizeof(float) *
               static_cast<double>(model.samples().size());
      if (end > begin && bytes > static_cast<double>(case_.subject().memory_bytes)) break;
      axes.emplace(value_of(row.tensor), row.axis);
    }
    for (const auto& [value, boxes] : channel_boxes(model, axes)) {
      const auto row = std::ranges::find(report_.tensors, case_.graph().value(value).name, &ChannelRow::tensor);
      for (const Box& box : boxes) row->boxes.emplace_back(box.begin(), box.end());
    }
    if (case_.progress()) {
      case_.progress()("channels", static_cast<int64_t>(end), static_cast<int64_t>(report_.tensors.size()));
    }
    return end;
  }

  DebugCase& case_;
  const DistributionJob& job_;
  ChannelReport report_;
};

}  // namespace

void check_channels(DebugCase& subject, const DistributionJob& job) { Channels(subject, job).pick(); }

ChannelReport channels_of_case(DebugCase& subject, const DistributionJob& job) { return Channels(subject, job).run(); }

ChannelReport get_channelwise_data_distribution(const DebugSubject& subject, const DistributionJob& job) {
  DebugCase opened(subject);
  return channels_of_case(opened, job);
}

}  // namespace twofold
