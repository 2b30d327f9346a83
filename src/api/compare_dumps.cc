#include "twofold/compare_dumps.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "api/open_samples.h"
#include "api/preprocessing.h"
#include "api/read_config.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/file_names.h"
#include "data/dumped_tensor.h"
#include "dialect/registry.h"
#include "engine/lowered_model.h"
#include "loops/layout.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "quantize/agreement.h"
#include "quantize/compare.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

namespace fs = std::filesystem;

// Of float32, this part of a tensor's largest magnitude is more than other orders of summation make.
constexpr double kFloatTolerance = 1e-3;

// A tensor that a device may have dumped.
struct DumpedTensor {
  std::string name, node, op_type;
  std::optional<IntegerForm> form;  // the integers that the model makes of it
};

class Comparer {
 public:
  Comparer(const fs::path& path, const Samples& data, const CompareDumpsJob& job)
      : job_(job), graph_(import_onnx(path)), report_{path.string(), job.dumps.string(), {}, {}, {}} {
    check_operators(graph_);
    run_passes(graph_);
    const QuantConfig config = read_config(job.config);
    const std::vector<InputSpec> inputs = input_specs(graph_);
    data_ = open_samples(data, inputs, dataset_options(config, inputs));
    if (job.sample < 0 || job.sample >= data_->size()) {
      throw_error(ErrorCode::kInvalidArgument, "there is no sample {}: the data have {}", job.sample, data_->size());
    }
  }

  DumpReport run() {
    list_tensors();
    match_files();
    if (files_.empty()) {
      throw_error(ErrorCode::kNotFound,
                  "no file in {} has the name of a tensor of the model; the first tensor is '{}', for which "
                  "'{}.npy' would do",
                  job_.dumps.string(), tensors_.empty() ? "" : tensors_[0].name,
                  tensors_.empty() ? "" : file_name(tensors_[0].name));
    }
    compare();
    return std::move(report_);
  }

 private:
  void list_tensors() {
    for (const ValueId input : graph_.inputs) list_tensor(input, "", "");
    for (const NodeId id : graph_.topological_order()) {
      const Node& node = graph_.node(id);
      if (node.is(op::kDequantizeLinear) || node.is(op::kQuantizeLinear)) continue;
      for (const ValueId output : node.outputs) {
        if (output != kNone) list_tensor(output, node.name, node.op_type);
      }
    }
    for (const auto& [name, place] : by_name_) by_file_name_.emplace(file_name(name), place);
  }

  void list_tensor(ValueId value, const std::string& node, const std::string& op_type) {
    DumpedTensor tensor{graph_.value(value).name, node, op_type, {}};
    for (const NodeId reader : graph_.consumers(value)) {
      if (!tensor.form) tensor.form = integer_form(graph_, reader);
    }
    const size_t place = tensors_.size();
    by_name_.emplace(tensor.name, place);
    // Some devices call the integers by the name that they have in the file.
    if (tensor.form) by_name_.emplace(graph_.value(tensor.form->edge.integers).name, place);
    tensors_.push_back(std::move(tensor));
  }

  // What a file is called: below the folder, without what says its kind.
  std::string name_of(const fs::path& file) const {
    std::string name = fs::relative(file, job_.dumps).generic_string();
    for (const std::string_view ending : {".npy", ".bin", ".raw"}) {
      if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
    }
    return name;
  }

  void match_files() {
    if (!fs::is_directory(job_.dumps)) {
      throw_error(ErrorCode::kNotFound, "there is no folder {}", job_.dumps.string());
    }
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(job_.dumps)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      const std::string name = name_of(file);
      auto it = by_name_.find(name);
      if (it == by_name_.end()) it = by_name_.find("/" + name);
      if (it != by_name_.end()) {
        files_.emplace(it->second, file);
      } else if (const auto other = by_file_name_.find(file_name(name)); other != by_file_name_.end()) {
        files_.emplace(other->second, file);
      } else {
        report_.unknown.push_back(file.string());
      }
    }
  }

  void compare() {
    // Whatever becomes integers can be watched, others are looked at where they are left.
    std::set<std::string> watched, observed;
    for (const auto& [place, file] : files_) {
      const DumpedTensor& tensor = tensors_[place];
      if (!tensor.node.empty()) (tensor.form ? watched : observed).insert(tensor.name);
    }
    const LoweredModel model(
        graph_, {.threads = job_.threads, .watched = {watched.begin(), watched.end()}, .observed = observed});
    const std::vector<Tensor> inputs = data_->sample(job_.sample);
    std::map<std::string, Tensor> computed;
    for (size_t i = 0; i < inputs.size(); ++i) computed.emplace(graph_.value(graph_.inputs[i]).name, inputs[i]);
    const std::vector<Tensor> outputs = model.run(inputs, [&](const std::string& name, const Tensor& real) {
      computed.emplace(name, to_layout(real, Layout::kPlain));
    });
    for (size_t i = 0; i < outputs.size(); ++i) {
      computed.emplace(graph_.value(graph_.outputs[i].value).name, outputs[i]);
    }
    for (const auto& [place, file] : files_) {
      const DumpedTensor& tensor = tensors_[place];
      const auto it = computed.find(tensor.name);
      if (it == computed.end()) {
        report_.inside.push_back(file.string());
        continue;
      }
      report_.tensors.push_back(compare(tensor, it->second, file));
    }
  }

  DumpRow compare(const DumpedTensor& tensor, const Tensor& expected, const fs::path& file) const {
    const Tensor dumped = read(tensor, expected, file);
    DumpRow row{tensor.name, tensor.node, tensor.op_type, file.string()};
    const Tensor engine = in_steps(tensor, as_float(expected)), device = in_steps(tensor, dumped);
    Agreement agreement;
    agreement.add(engine.data<float>(), device.data<float>());
    row.equal_share = agreement.equal_share();
    row.largest_difference = agreement.largest_difference();
    if (!same_nan(expected, dumped)) row.largest_difference = std::numeric_limits<double>::infinity();
    if (tensor.form) {
      row.largest_steps = row.largest_difference / tensor.form->edge.scale[0];
      row.leaves = row.largest_steps > 0.5;
    } else {
      float largest = 0;
      for (const float v : engine.data<float>()) largest = std::max(largest, std::fabs(v));
      row.leaves = row.equal_share < 1 && !(row.largest_difference <= kFloatTolerance * largest);
    }
    return row;
  }

  // What its readers see of it.
  static Tensor in_steps(const DumpedTensor& tensor, const Tensor& real) {
    return tensor.form ? real_numbers_of(integers_of(real, *tensor.form), *tensor.form) : real;
  }

  static bool same_nan(const Tensor& a, const Tensor& b) {
    return a.dtype() != DType::kFloat32 ||
           std::ranges::equal(
               a.data<float>(), b.data<float>(), {}, [](float v) { return std::isnan(v); },
               [](float v) { return std::isnan(v); });
  }

  // As real numbers.
  static Tensor read(const DumpedTensor& tensor, const Tensor& expected, const fs::path& file) {
    const DType dtype = tensor.form ? tensor.form->edge.dtype : expected.dtype();
    const Tensor dumped = load_dumped_tensor(file, {tensor.name, expected.shape(), dtype});
    Tensor real = as_float(dumped);
    if (!tensor.form || dumped.dtype() != dtype) return real;
    const QuantizedEdge& edge = tensor.form->edge;
    const auto zero = static_cast<float>(edge.zero_point);
    for (float& v : real.mutable_data<float>()) v = (v - zero) * edge.scale[0];
    return real;
  }

  const CompareDumpsJob& job_;
  Graph graph_;
  std::unique_ptr<Dataset> data_;
  std::vector<DumpedTensor> tensors_;
  std::map<std::string, size_t> by_name_, by_file_name_;
  std::multimap<size_t, fs::path> files_;  // by place in tensors_
  DumpReport report_;
};

}  // namespace

const DumpRow* DumpReport::first_to_leave() const {
  const auto it = std::ranges::find(tensors, true, &DumpRow::leaves);
  return it == tensors.end() ? nullptr : &*it;
}

DumpReport compare_dumps(const fs::path& model, const Samples& data, const CompareDumpsJob& job) {
  const CancellationScope scope(job.cancelled);
  return Comparer(model, data, job).run();
}

}  // namespace twofold
