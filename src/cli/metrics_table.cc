#include "cli/metrics_table.h"

#include <fmt/format.h>

#include <array>

#include "base/table.h"
#include "cli/output.h"

namespace twofold {

std::string short_number(double value) { return fmt::format("{:.6g}", value); }

std::string metrics_table(const std::string& first, const std::vector<TensorRow>& rows, NodeColumn nodes) {
  static constexpr std::array kMetrics = {"cosine-similarity", "sqnr", "mse", "mae", "mre", "chebyshev"};
  std::vector<std::string> headings = {first};
  if (nodes == NodeColumn::kYes) headings.emplace_back("node");
  for (const char* metric : kMetrics) headings.push_back(std::string(">") + metric);
  headings.insert(headings.end(), {">equal %", ">steps"});
  Table table(std::move(headings));
  for (const TensorRow& row : rows) {
    std::vector<std::string> cells = {row.tensor};
    if (nodes == NodeColumn::kYes) cells.push_back(row.node);
    for (const char* metric : kMetrics) {
      const auto it = row.metrics.find(metric);
      cells.push_back(it == row.metrics.end() ? "" : short_number(it->second));
    }
    cells.push_back(fmt::format("{:.2f}", 100 * row.equal_share));
    cells.push_back(row.largest_steps < 0 ? "" : short_number(row.largest_steps));
    table.add(std::move(cells));
  }
  return table.text(text_columns());
}

}  // namespace twofold
