#include "twofold/error_curves.h"

#include <algorithm>
#include <limits>
#include <map>

#include "api/debug_steps.h"
#include "api/figures.h"
#include "base/error.h"
#include "base/files.h"
#include "debug/error_curves.h"

namespace twofold {

namespace {

std::string joined(const std::vector<std::string>& names) {
  constexpr size_t kNamed = 3;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kNamed) text += fmt::format(" and {} more", names.size() - kNamed);
  return text;
}

class Curves {
 public:
  Curves(DebugCase& subject, const ErrorCurveJob& job)
      : case_(subject), job_(job), metric_(parse_metrics({job.metric}).front()) {}

  ErrorCurveReport run() {
    const size_t curves = job_.quantize_nodes.size() + job_.non_quantize_nodes.size() + (job_.weights ? 1 : 0) +
                          (job_.activations ? 1 : 0);
    if (curves == 0) {
      throw_error(ErrorCode::kInvalidArgument,
                  "name the nodes to quantize, or not to quantize, or all weights or activations");
    }
    for (const auto* lists : {&job_.quantize_nodes, &job_.non_quantize_nodes}) {
      for (const std::vector<std::string>& list : *lists) nodes_named(case_.graph(), list);
    }
    case_.measured(job_.data_num);  // whose outputs are numbers
    report_ = {case_.model_path(), job_.metric, {}, {}, {}};
    total_ = static_cast<int64_t>(curves);
    if (job_.weights) add("all weights", operands_of(units_of(case_.graph(), case_.plan(), UnitKind::kWeight)));
    if (job_.activations) {
      add("all activations", operands_of(units_of(case_.graph(), case_.plan(), UnitKind::kActivation)));
    }
    for (const std::vector<std::string>& list : job_.quantize_nodes) {
      add(joined(list), operands_of(units_of_nodes(case_.graph(), case_.plan(), nodes_named(case_.graph(), list))));
    }
    for (const std::vector<std::string>& list : job_.non_quantize_nodes) add_complement(list);
    align();
    write();
    return std::move(report_);
  }

 private:
  static std::set<size_t> operands_of(const std::vector<Unit>& units) {
    std::set<size_t> operands;
    for (const Unit& unit : units) operands.insert(unit.operands.begin(), unit.operands.end());
    return operands;
  }

  void add_complement(const std::vector<std::string>& list) {
    const std::set<std::string> nodes = nodes_named(case_.graph(), list);
    std::vector<Unit> units = units_of(case_.graph(), case_.plan(), UnitKind::kNode);
    std::erase_if(units, [&](const Unit& unit) { return nodes.contains(unit.name); });
    add(list.empty() ? "all nodes" : "all but " + joined(list), operands_of(units));
  }

  void add(std::string name, const std::set<size_t>& operands) {
    const CompareOptions options{.threads = case_.subject().threads, .max_samples = job_.data_num};
    const std::vector<TensorComparison> errors =
        errors_along(case_.calibrated(), case_.plan(), operands, case_.data(), options);
    report_.curves.push_back({std::move(name), {}});
    std::map<std::string, double>& of_node = of_node_.emplace_back();
    double sum = 0;
    for (const TensorComparison& tensor : errors) {
      const double value = tensor.metrics.mean(metric_);
      sum += value;
      of_node[tensor.node] = job_.average_mode ? sum / static_cast<double>(of_node.size() + 1) : value;
    }
    if (case_.progress()) case_.progress()("curves", static_cast<int64_t>(report_.curves.size()), total_);
  }

  // What a model computes of a node may be gone in another one, where the node became part of its reader.
  void align() {
    for (const NodeId id : case_.graph().topological_order()) {
      const std::string& node = case_.graph().node(id).name;
      if (std::ranges::none_of(of_node_, [&](const auto& values) { return values.contains(node); })) continue;
      report_.nodes.push_back(node);
      for (size_t i = 0; i < of_node_.size(); ++i) {
        const auto it = of_node_[i].find(node);
        report_.curves[i].values.push_back(it == of_node_[i].end() ? std::numeric_limits<double>::quiet_NaN()
                                                                   : it->second);
      }
    }
  }

  void write() {
    make_folders(job_.save_dir);
    for (const char* file : {"accumulate_error.json", "accumulate_error.svg"}) {
      report_.files.push_back((job_.save_dir / file).string());
    }
    write_file(report_.files[0], to_json(report_));
    save_figure(curves_figure(report_), report_.files[1]);
  }

  DebugCase& case_;
  const ErrorCurveJob& job_;
  const Metric metric_;
  int64_t total_ = 0;
  std::vector<std::map<std::string, double>> of_node_;  // of each curve
  ErrorCurveReport report_;
};

}  // namespace

ErrorCurveReport error_curves_of_case(DebugCase& subject, const ErrorCurveJob& job) {
  return Curves(subject, job).run();
}

ErrorCurveReport plot_acc_error(const DebugSubject& subject, const ErrorCurveJob& job) {
  DebugCase opened(subject);
  return error_curves_of_case(opened, job);
}

}  // namespace twofold
