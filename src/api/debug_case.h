// What every job of the debugger begins with: the float model, opened, and the plan that is tested, decided.
#ifndef TWOFOLD_SRC_API_DEBUG_CASE_H_
#define TWOFOLD_SRC_API_DEBUG_CASE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/job.h"
#include "api/ptq_paths.h"
#include "base/parallel_for.h"
#include "plan/plan.h"
#include "plan/resolve.h"
#include "quantize/calibrated_model.h"
#include "twofold/debug_subject.h"

namespace twofold {

// Opens when it is made; calibrates and runs once something asks for what that gives. Names are checked by the
// functions below, which a job calls first.
class DebugCase {
 public:
  // `subject` must outlive the object. Throws Error.
  explicit DebugCase(const DebugSubject& subject);

  const DebugSubject& subject() const { return subject_; }
  const Progress& progress() const { return progress_; }
  // Of one stage; empty where nobody listens. The stage must outlive the result.
  std::function<void(int64_t done, int64_t total)> progress_of(std::string_view stage) const;
  // The float model's.
  std::string model_path() const { return model_path_.string(); }
  // With the equalizations of the plan once it is decided, which plan() sees to.
  const Graph& graph() { return plan_ ? calibrated().graph() : graph_; }
  const Dataset& data() const { return *data_; }
  // What the user wrote, less the search for equalizations once that is done; where a plan is tested, a config that
  // asks for what it grants.
  const QuantConfig& config() const { return config_; }
  bool tests_plan() const { return tests_plan_; }
  // That of a plan file is found by its name. Throws Error(kNotFound) where it was a file.
  const Target& target();
  // What resolve() is to know of the file, beside its graph and the config.
  ResolveOptions resolve_options() const { return {.input_file_nodes = file_nodes_}; }
  // The same, with what was chosen for kinds of operators in the plan that is tested.
  ResolveOptions tested_options();

  // The positions of these outputs of the model; none named: all. Throws Error(kNotFound) with the nearest names.
  std::vector<size_t> outputs(const std::vector<std::string>& names) const;

  // Decided. The first call calibrates.
  const Plan& plan();
  // The model that the plan was decided on, with its statistics.
  CalibratedModel& calibrated();
  // The model with so many samples to measure on (0: all), made once for every number.
  // Throws Error(kInvalidArgument) where the float model's outputs hold NaN, naming the node where that begins.
  CalibratedModel& measured(int64_t data_num);

  // A plan, and models as calibrated() and measured() give them, whose graph it is for.
  struct Requantized {
    Plan plan;
    std::shared_ptr<CalibratedModel> calibrated, measured;
  };
  // What quantize() makes of another config for the same data: equalizations too are chosen for that one.
  Requantized requantized(QuantConfig config, int64_t data_num);

 private:
  void open();
  void open_recorded(const Graph& quantized);
  void take(Plan plan);
  std::shared_ptr<CalibratedModel> model(const std::vector<Equalization>& equalizations,
                                         int64_t search_samples = kSearchSamples) const;
  int64_t samples_of(int64_t data_num) const;
  void check_outputs(CalibratedModel& model);

  const DebugSubject& subject_;
  const ThreadScope threads_;
  Job job_;
  const Progress progress_;
  QuantConfig config_;
  const PtqPaths paths_;
  std::filesystem::path model_path_;
  Graph graph_;  // before equalization
  std::vector<std::string> file_nodes_;
  std::optional<Target> target_;
  std::unique_ptr<Dataset> data_;
  std::optional<Plan> plan_;
  bool tests_plan_ = false, equalizes_ = false;
  std::shared_ptr<CalibratedModel> calibrated_;
  std::map<int64_t, std::shared_ptr<CalibratedModel>> measured_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_DEBUG_CASE_H_
