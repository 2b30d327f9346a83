#include "api/figures.h"

#include <fmt/format.h>

#include <cmath>

#include "base/files.h"
#include "report/plot.h"

namespace twofold {

Figure drawn(double value) { return std::isfinite(value) ? Figure(value) : Figure(nullptr); }

Figure curves_figure(const ErrorCurveReport& report) {
  Figure series = Figure::array();
  for (const ErrorCurve& curve : report.curves) {
    Figure values = Figure::array();
    for (const double value : curve.values) values.push_back(drawn(value));
    series.push_back({{"name", curve.name}, {"values", std::move(values)}});
  }
  return {{"kind", "lines"},   {"title", "How the error builds up along the model"},
          {"x_label", "node"}, {"y_label", report.metric},
          {"x", report.nodes}, {"series", std::move(series)}};
}

Figure histogram_figure(const OperandNumbers& operand) {
  return {
      {"kind", "histogram"},
      {"title", operand.tensor},
      {"subtitle", fmt::format("{} of {} ({}), {}", operand.operand, operand.node, operand.op_type, operand.precision)},
      {"x_label", "value"},
      {"low", operand.low},
      {"step", operand.step},
      {"series",
       {{{"name", "float"}, {"counts", operand.counts_before}},
        {{"name", "quantized"}, {"counts", operand.counts_after}}}},
      {"thresholds", operand.range},
      {"note", fmt::format("{:.3g} % clipped", 100 * operand.clipped)}};
}

Figure boxes_figure(const ChannelRow& tensor) {
  std::vector<std::string> names;
  for (size_t i = 0; i < tensor.boxes.size(); ++i) names.push_back(std::to_string(i));
  return {{"kind", "boxes"},
          {"title", tensor.tensor},
          {"subtitle", fmt::format("channels along axis {}, of {}", tensor.axis, tensor.node)},
          {"x_label", "channel"},
          {"y_label", "value"},
          {"names", std::move(names)},
          {"boxes", tensor.boxes}};
}

Figure growth_figure(const GrowthRow& graph_order, const GrowthRow& rank_order, const std::string& metric) {
  const auto series = [](const char* name, const GrowthRow& row) {
    Figure values = Figure::array();
    for (const double value : row.values) values.push_back(drawn(value));
    return Figure{{"name", name}, {"values", std::move(values)}};
  };
  return {{"kind", "lines"},
          {"title", "The output's error as nodes are quantized one after the other"},
          {"x_label", "quantized nodes"},
          {"y_label", metric},
          {"x", graph_order.counts},
          {"series", {series("in graph order", graph_order), series("the most harmless first", rank_order)}}};
}

Figure analysis_figure(const SensitivityAnalysisReport& report) {
  Figure names = {"none"}, alone = Figure::array({drawn(report.quantized)}), up_to = alone;
  for (const SensitivityAnalysisRow& row : report.rows) {
    names.push_back(row.node);
    alone.push_back(drawn(row.without));
    up_to.push_back(drawn(row.without_up_to));
  }
  return {{"kind", "lines"},
          {"title", fmt::format("The quantized model with sensitive nodes at {}", report.qtype)},
          {"x_label", "node, the most sensitive first"},
          {"y_label", report.metric},
          {"x", std::move(names)},
          {"series",
           {{{"name", "this node"}, {"values", std::move(alone)}},
            {{"name", "all up to this node"}, {"values", std::move(up_to)}}}}};
}

void save_figure(const Figure& figure, const std::filesystem::path& path) { write_file(path, plot_svg(figure.dump())); }

}  // namespace twofold
