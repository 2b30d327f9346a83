// Node names as the command line takes them.
#ifndef TWOFOLD_SRC_CLI_NODE_LIST_H_
#define TWOFOLD_SRC_CLI_NODE_LIST_H_

#include <string>
#include <string_view>
#include <vector>

namespace twofold {

// The names in "[a,b]" or "a, b". A name may be quoted with ' or ", and must be where it holds a comma or a bracket.
// Throws Error(kInvalidArgument) for empty lists and names and for quotes and brackets that do not match.
std::vector<std::string> parse_node_list(std::string_view text);

// The lists in "[[a,b],[c]]"; a name on its own is a list of one: "[a,b]" gives two.
std::vector<std::vector<std::string>> parse_node_lists(std::string_view text);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_NODE_LIST_H_
