#include "report/figure_check.h"

#include <fmt/format.h>

#include "report/checked_object.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

// The lists that the series hold under `key`.
void check_series(CheckedObject& figure, std::string_view key, JsonForm form, const Json* x) {
  const Json& series = figure.get("series", JsonForm::kList);
  for (size_t i = 0; i < series.size(); ++i) {
    CheckedObject one(series[i], figure.path("series", i));
    one.get("name", JsonForm::kText);
    const Json& values = one.get(key, form);
    if (x != nullptr && values.size() != x->size()) {
      one.refuse(key, fmt::format("have as many values as x, which has {}", x->size()));
    }
    one.finish();
  }
}

void check_lines(CheckedObject& figure) {
  figure.find("x_label", JsonForm::kText);
  figure.find("y_label", JsonForm::kText);
  if (figure.find("y_scale", JsonForm::kText) != nullptr) figure.word("y_scale", {"linear", "log"});
  check_series(figure, "values", JsonForm::kNumbers, &figure.get("x", JsonForm::kNames));
}

void check_histogram(CheckedObject& figure) {
  figure.find("x_label", JsonForm::kText);
  figure.find("thresholds", JsonForm::kNumbers);
  figure.get("low", JsonForm::kNumber);
  if (!(figure.get("step", JsonForm::kNumber).get<double>() > 0)) figure.refuse("step", "be above 0");
  if (figure.find("count_scale", JsonForm::kText) != nullptr) figure.word("count_scale", {"log", "sqrt", "linear"});
  check_series(figure, "counts", JsonForm::kCounts, nullptr);
}

void check_boxes(CheckedObject& figure) {
  figure.find("x_label", JsonForm::kText);
  figure.find("y_label", JsonForm::kText);
  figure.find("thresholds", JsonForm::kNumbers);
  const Json& boxes = figure.get("boxes", JsonForm::kList);
  for (size_t i = 0; i < boxes.size(); ++i) {
    check_form(boxes[i], JsonForm::kNumbers, figure.path("boxes", i));
    if (boxes[i].size() != 5) figure.refuse("boxes", "hold lists of five numbers");
  }
  const Json* names = figure.find("names", JsonForm::kNames);
  if (names != nullptr && names->size() != boxes.size()) {
    figure.refuse("names", fmt::format("have one name per box, of which there are {}", boxes.size()));
  }
}

void check_bars(CheckedObject& figure) {
  figure.find("x_label", JsonForm::kText);
  figure.find("series", JsonForm::kText);
  const Json& values = figure.get("values", JsonForm::kValues);
  if (figure.get("names", JsonForm::kNames).size() != values.size()) {
    figure.refuse("names", fmt::format("have one name per value, of which there are {}", values.size()));
  }
}

void check_content(CheckedObject& figure, std::string_view kind) {
  figure.find("subtitle", JsonForm::kText);
  figure.find("note", JsonForm::kText);
  if (kind == "lines") check_lines(figure);
  if (kind == "histogram") check_histogram(figure);
  if (kind == "boxes") check_boxes(figure);
  if (kind == "bars") check_bars(figure);
  figure.finish();
}

}  // namespace

void check_figure(const Json& figure, const std::string& where) {
  CheckedObject checked(figure, where);
  const std::string kind = checked.word("kind", {"lines", "histogram", "boxes", "bars"});
  checked.get("title", JsonForm::kText);
  check_content(checked, kind);
}

void check_figure_of_kind(const Json& figure, std::string_view kind, const std::string& where) {
  CheckedObject checked(figure, where);
  if (checked.find("kind", JsonForm::kText) != nullptr) checked.word("kind", {kind});
  checked.find("title", JsonForm::kText);
  check_content(checked, kind);
}

}  // namespace twofold
