#include "cli/cost_table.h"

#include <fmt/format.h>

#include "base/table.h"
#include "cli/output.h"

namespace twofold {

std::string cost_text(const CostReport& report) {
  std::vector<std::string> headings = {"inputs"};
  for (const CostLayer& layer : report.layers) headings.push_back(">" + layer.name);
  headings.emplace_back(">cost");
  Table table(headings);
  const CostRow& unit = report.rows.front();
  for (const CostRow& row : report.rows) {
    std::vector<std::string> cells = {row.a + " x " + row.b};
    for (size_t i = 0; i < row.picoseconds.size(); ++i) {
      cells.push_back(fmt::format("{:.2f}", row.picoseconds[i] / unit.picoseconds[i]));
    }
    cells.push_back(fmt::format("{:.2f}", row.cost));
    table.add(std::move(cells));
  }
  std::vector<std::string> units = {"ps of one int8 x int8"};
  for (const double picoseconds : unit.picoseconds) units.push_back(fmt::format("{:.1f}", picoseconds));
  units.emplace_back("");
  table.add(std::move(units));
  std::vector<std::string> layers;
  for (const CostLayer& layer : report.layers)
    layers.push_back(fmt::format("{} {}", layer.name, to_string(layer.input)));
  std::string text = fmt::format("{}{}; {} threads\n\nFor the target file:\n    combinations:\n",
                                 table.text(text_columns()), fmt::join(layers, ", "), report.threads);
  for (const CombinationRow& combination : report.combinations) text += "      " + target_line(combination) + "\n";
  return text;
}

}  // namespace twofold
