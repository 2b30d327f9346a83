// What the debugger found, as figures that report/plot.h draws.
#ifndef TWOFOLD_SRC_API_FIGURES_H_
#define TWOFOLD_SRC_API_FIGURES_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "twofold/debug.h"

namespace twofold {

using Figure = nlohmann::ordered_json;

Figure curves_figure(const ErrorCurveReport& report);
Figure histogram_figure(const OperandNumbers& operand);
Figure boxes_figure(const ChannelRow& tensor);
Figure analysis_figure(const SensitivityAnalysisReport& report);
Figure growth_figure(const GrowthRow& graph_order, const GrowthRow& rank_order, const std::string& metric);

// A number as figures have it: null where there is none to draw.
Figure drawn(double value);

// Draws a figure into a file.
void save_figure(const Figure& figure, const std::filesystem::path& path);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_FIGURES_H_
