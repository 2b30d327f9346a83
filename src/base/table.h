// Tables whose columns line up.
#ifndef TWOFOLD_SRC_BASE_TABLE_H_
#define TWOFOLD_SRC_BASE_TABLE_H_

#include <string>
#include <vector>

namespace twofold {

// A header, a rule and rows; columns are as wide as their widest cell, two spaces apart.
class Table {
 public:
  // A heading that starts with '>' makes a column aligned at the right: {"node", ">cosine"}.
  explicit Table(std::vector<std::string> headings);

  // REQUIRES: one cell per heading.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Lines end in '\n' and have no spaces at their end.
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_TABLE_H_
