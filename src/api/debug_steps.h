// The jobs of the debugger on a case that is open, for those that do several.
#ifndef TWOFOLD_SRC_API_DEBUG_STEPS_H_
#define TWOFOLD_SRC_API_DEBUG_STEPS_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "api/debug_case.h"
#include "debug/sensitivity.h"
#include "twofold/debug.h"

namespace twofold {

struct MeasuredUnits {
  std::vector<Unit> units;                 // in graph order
  std::vector<Sensitivity> sensitivities;  // of each
  SensitivityReport report;                // the same, worst first
};

// get_sensitivity() of a case that is open. Results of single units go to `folder`, where it is not empty.
MeasuredUnits measure_units(DebugCase& subject, const SensitivityJob& job, const std::filesystem::path& folder = {});

// What a command (FindingsJob::evaluate) makes of the tested plan; nothing where it is empty. It goes first, so that
// one that fails costs no more than a calibration.
std::optional<double> evaluate_tested(DebugCase& subject, const std::filesystem::path& folder,
                                      const std::string& command);
// find_remedies(), from the nodes that were measured.
FindingsReport findings_of_case(DebugCase& subject, const FindingsJob& job, const MeasuredUnits& nodes,
                                std::optional<double> evaluated);

// Of what find_remedies() does at its end. Throws Error where it would.
void check_wishes(const std::string& evaluate, const std::filesystem::path& write_config, const ConfigSource& config);

ErrorCurveReport error_curves_of_case(DebugCase& subject, const ErrorCurveJob& job);
DistributionReport distributions_of_case(DebugCase& subject, const DistributionJob& job);
ChannelReport channels_of_case(DebugCase& subject, const DistributionJob& job);
// Throws where that would: a tensor that is named lacks the axis.
void check_channels(DebugCase& subject, const DistributionJob& job);
DistributionReport tensor_analysis_of_case(DebugCase& subject, const DistributionJob& job);
// sensitivity_analysis(), from the nodes that were measured.
SensitivityAnalysisReport sensitivity_analysis_of_case(DebugCase& subject, const SensitivityAnalysisJob& job,
                                                       const MeasuredUnits& nodes);

// Reads the words for metrics; at least one. Throws Error(kInvalidArgument).
std::vector<Metric> parse_metrics(const std::vector<std::string>& words);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_DEBUG_STEPS_H_
