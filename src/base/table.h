// Tables whose columns line up.
#ifndef TWOFOLD_SRC_BASE_TABLE_H_
#define TWOFOLD_SRC_BASE_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace twofold {

// A header, a rule and rows; columns are as wide as their widest cell where there is room, two spaces apart.
class Table {
 public:
  // A heading that starts with '>' makes a column aligned at the right: {"node", ">cosine"}.
  explicit Table(std::vector<std::string> headings);

  // Cells become printable (base/printable.h), and the middle of those of more than 300 bytes "...".
  // REQUIRES: one cell per heading.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Lines end in '\n' and have no spaces at their end. With `columns` none is wider than that: cells aligned at the
  // left lose their middle, and columns that still find no room stand in a table of their own below, each behind the
  // first.
  std::string text(size_t columns = 0) const;

 private:
  std::vector<size_t> widths(size_t columns) const;
  // The first column and those of [begin, end).
  std::string block(const std::vector<size_t>& widths, size_t begin, size_t end, size_t columns) const;

  std::vector<bool> right_;
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_TABLE_H_
