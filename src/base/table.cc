#include "base/table.h"

#include <algorithm>

#include "base/check.h"
#include "base/printable.h"

namespace twofold {

namespace {

constexpr size_t kGap = 2;
// Columns do not get narrower than this for the sake of others.
constexpr size_t kNarrow = 12;
constexpr size_t kLongestCell = 300;

// Columns that UTF-8 text takes, one per code point.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// At most `columns` wide: without its middle, since names that begin alike end differently.
std::string shortened(const std::string& text, size_t columns) {
  if (width(text) <= columns) return text;
  if (columns == 0) return "";
  const size_t left = (columns - 1) / 2, right = columns - 1 - left;
  // Where the code point begins that is the n-th from the front.
  const auto at = [&text](size_t n) {
    size_t i = 0;
    for (; i < text.size(); ++i) {
      if ((text[i] & 0xC0) != 0x80 && n-- == 0) break;
    }
    return i;
  };
  return text.substr(0, at(left)) + "\u2026" + text.substr(at(width(text) - right));
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
  for (std::string& cell : cells) cell = printable(cell, kLongestCell);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::widths(size_t columns) const {
  std::vector<size_t> widths;
  size_t all = 0;
  for (size_t c = 0; c < headings_.size(); ++c) {
    widths.push_back(width(headings_[c]));
    for (const std::vector<std::string>& row : rows_) widths[c] = std::max(widths[c], width(row[c]));
    all += widths[c] + (c == 0 ? 0 : kGap);
  }
  // The widest column gives room first.
  while (columns > 0 && all > columns) {
    size_t widest = widths.size();
    for (size_t c = 0; c < widths.size(); ++c) {
      if (!right_[c] && widths[c] > kNarrow && (widest == widths.size() || widths[c] > widths[widest])) widest = c;
    }
    if (widest == widths.size()) break;
    --widths[widest];
    --all;
  }
  return widths;
}

std::string Table::block(const std::vector<size_t>& widths, size_t begin, size_t end, size_t columns) const {
  std::string result;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    const auto add_cell = [&](size_t c) {
      const std::string cell = shortened(cell_of(c), widths[c]);
      const std::string padding(widths[c] - width(cell), ' ');
      line += (c == 0 ? "" : std::string(kGap, ' ')) + (right_[c] ? padding + cell : cell + padding);
    };
    add_cell(0);
    for (size_t c = begin; c < end; ++c) add_cell(c);
    line.erase(line.find_last_not_of(' ') + 1);
    result += (columns > 0 ? shortened(line, columns) : line) + "\n";
  };
  add_line([this](size_t c) { return headings_[c]; });
  add_line([&widths](size_t c) { return std::string(widths[c], '-'); });
  for (const std::vector<std::string>& row : rows_) {
    add_line([&row](size_t c) { return row[c]; });
  }
  return result;
}

std::string Table::text(size_t columns) const {
  const std::vector<size_t> widths = this->widths(columns);
  std::string result;
  size_t begin = 1;
  do {
    size_t end = begin, used = widths[0];
    // One at least, however narrow it all is.
    while (end < widths.size() && (columns == 0 || end == begin || used + kGap + widths[end] <= columns)) {
      used += kGap + widths[end++];
    }
    if (begin > 1) result += '\n';
    result += block(widths, begin, end, columns);
    begin = end;
  } while (begin < widths.size());
  return result;
}

}  // namespace twofold
