#include "report/report_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "report/checked_object.h"
#include "report/figure_check.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

// Calls check(CheckedObject&) for every object of a list; nothing where the list is not there.
template <typename Check>
void for_each_object(CheckedObject& parent, std::string_view key, const Check& check) {
  const Json* list = parent.find(key, JsonForm::kList);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size(); ++i) {
    CheckedObject entry((*list)[i], parent.path(key, i));
    check(entry);
    entry.finish();
  }
}

void check_metrics(CheckedObject& parent) {
  for (const auto& [name, value] : parent.get("metrics", JsonForm::kObject).items()) {
    check_form(value, JsonForm::kValue, parent.path("metrics") + "." + name);
  }
}

void check_facts(CheckedObject& report) {
  const Json* facts = report.find("facts", JsonForm::kList);
  if (facts == nullptr) return;
  for (size_t i = 0; i < facts->size(); ++i) {
    check_form((*facts)[i], JsonForm::kTexts, report.path("facts", i));
    if ((*facts)[i].size() != 2) report.refuse("facts", "hold pairs of texts");
  }
}

void check_table(const Json& json, const std::string& where) {
  CheckedObject table(json, where);
  const size_t columns = table.get("headings", JsonForm::kTexts).size();
  const Json& rows = table.get("rows", JsonForm::kList);
  for (size_t i = 0; i < rows.size(); ++i) {
    check_form(rows[i], JsonForm::kCells, table.path("rows", i));
    if (rows[i].size() != columns) table.refuse("rows", "hold one cell per heading");
  }
  table.finish();
}

void check_finding(CheckedObject& finding) {
  finding.word("severity", {"limit", "both", "operand", "note"});
  finding.get("title", JsonForm::kText);
  finding.find("text", JsonForm::kText);
  finding.find("nodes", JsonForm::kTexts);
  finding.find("config", JsonForm::kText);
  const Json* table = finding.find("table", JsonForm::kObject);
  if (table != nullptr) check_table(*table, finding.path("table"));
}

void check_sensitivity(CheckedObject& sensitivity) {
  sensitivity.get("unit", JsonForm::kText);
  sensitivity.get("metrics", JsonForm::kTexts);
  for_each_object(sensitivity, "rows", [](CheckedObject& row) {
    row.get("name", JsonForm::kText);
    row.find("op_type", JsonForm::kText);
    check_metrics(row);
    row.find("threshold", JsonForm::kValue);
    row.find("bits", JsonForm::kCell);
  });
}

void check_tensor(CheckedObject& tensor) {
  tensor.get("name", JsonForm::kText);
  for (const char* key : {"kind", "node", "dtype", "shape"}) tensor.find(key, JsonForm::kText);
  for (const char* key : {"min", "max", "mean", "deviation", "scale", "zero_point", "clipped", "sqnr", "cosine"}) {
    tensor.find(key, JsonForm::kCell);
  }
  for (const char* kind : {"histogram", "boxes"}) {
    const Json* figure = tensor.find(kind, JsonForm::kObject);
    if (figure != nullptr) check_figure_of_kind(*figure, kind, tensor.path(kind));
  }
}

// That all indices of a list are below `count`, the number of `what`.
void check_indices(CheckedObject& node, std::string_view key, size_t count, std::string_view what) {
  const Json* indices = node.find(key, JsonForm::kIndices);
  if (indices == nullptr) return;
  const auto outside = [&](const Json& index) { return index.get<size_t>() >= count; };
  if (std::any_of(indices->begin(), indices->end(), outside)) {
    node.refuse(key, fmt::format("be indices of {}, of which there are {}", what, count));
  }
}

void check_graph(const Json& json, size_t num_tensors) {
  CheckedObject graph(json, "graph");
  graph.find("error_label", JsonForm::kText);
  const size_t num_nodes = graph.get("nodes", JsonForm::kList).size();
  for_each_object(graph, "nodes", [&](CheckedObject& node) {
    node.get("name", JsonForm::kText);
    node.get("op_type", JsonForm::kText);
    node.find("error", JsonForm::kValue);
    node.find("precisions", JsonForm::kText);
    check_indices(node, "inputs", num_nodes, "nodes");
    check_indices(node, "tensors", num_tensors, "tensors");
  });
  graph.finish();
}

}  // namespace

void check_report(const Json& json) {
  CheckedObject report(json, "");
  report.get("title", JsonForm::kText);
  check_facts(report);
  for_each_object(report, "outputs", [](CheckedObject& output) {
    output.get("name", JsonForm::kText);
    check_metrics(output);
  });
  for_each_object(report, "findings", check_finding);
  report.find("config", JsonForm::kText);
  for_each_object(report, "sensitivity", check_sensitivity);
  for_each_object(report, "figures", [](CheckedObject& entry) {
    entry.get("section", JsonForm::kText);
    check_figure(entry.get("figure", JsonForm::kObject), entry.path("figure"));
  });
  for_each_object(report, "tensors", check_tensor);
  const Json* graph = report.find("graph", JsonForm::kObject);
  if (graph != nullptr) check_graph(*graph, json.contains("tensors") ? json["tensors"].size() : 0);
  report.finish();
}

}  // namespace twofold
