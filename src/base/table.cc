#include "base/table.h"

#include <algorithm>

#include "base/check.h"

namespace twofold {

namespace {

// Columns that UTF-8 text takes, one per code point.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (std::string& heading : headings_) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
}

void Table::add(std::vector<std::string> cells) {
  TWOFOLD_CHECK(cells.size() == headings_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < headings_.size(); ++c) {
    widths.push_back(width(headings_[c]));
    for (const std::vector<std::string>& row : rows_) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string result;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string padding(widths[c] - width(cells[c]), ' ');
      line += (c == 0 ? "" : "  ") + (right_[c] ? padding + cells[c] : cells[c] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  };
  add_line(headings_);
  std::vector<std::string> rule;
  for (size_t w : widths) rule.emplace_back(w, '-');
  add_line(rule);
  for (const std::vector<std::string>& row : rows_) add_line(row);
  return result;
}

}  // namespace twofold
