#include <algorithm>
#include <map>

#include "cli/debug_commands.h"

namespace twofold {

namespace {

// Short options of several letters, per command where they differ.
const std::map<std::string, std::map<std::string, std::string>, std::less<>> kShortOptions = {
    {"plot-acc-error", {{"-nq", "--non_quantize_node"}}},
    {"sensitivity-analysis", {{"-sn", "--sensitive_nodes"}, {"-sd", "--save_dir"}}},
    {"tensor-analysis", {{"-np", "--num_processes"}}},
    {"runall",
     {{"-nm", "--ns_metrics"},
      {"-nt", "--node_type"},
      {"-dn", "--data_num"},
      {"-dnl", "--dis_nodes_list"},
      {"-cn", "--cw_nodes_list"},
      {"-qn", "--quantize_node"},
      {"-nqn", "--non_quantize_node"},
      {"-am", "--ae_metric"},
      {"-avm", "--average_mode"},
      {"-pt", "--pick_threshold"},
      {"-sn", "--sensitive_nodes"}}},
};

// Flags whose value may be written behind them.
const std::map<std::string, std::map<std::string, std::string>, std::less<>> kFlags = {
    {"get-sensitivity-of-nodes", {{"-v", "--verbose"}, {"--verbose", "--verbose"}}},
    {"plot-acc-error", {{"-a", "--average_mode"}, {"--average_mode", "--average_mode"}}},
    {"runall", {{"-v", "--verbose"}, {"--verbose", "--verbose"}, {"--average_mode", "--average_mode"}}},
};

bool is_boolean(const std::string& word) {
  static const std::vector<std::string> kBooleans = {"True", "False", "true", "false"};
  return std::ranges::find(kBooleans, word) != kBooleans.end();
}

template <typename Table>
std::string looked_up(const Table& table, const std::string& command, const std::string& word) {
  const auto of_command = table.find(command);
  if (of_command == table.end()) return "";
  const auto it = of_command->second.find(word);
  return it == of_command->second.end() ? "" : it->second;
}

}  // namespace

std::vector<std::string> plain_words(std::vector<std::string> words) {
  std::string command;
  std::vector<std::string> plain;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    if (command.empty()) {
      std::string name = word;
      std::ranges::replace(name, '_', '-');
      if (kShortOptions.contains(name) || kFlags.contains(name)) command = name;
      plain.push_back(std::move(word));
      continue;
    }
    if (const std::string longer = looked_up(kShortOptions, command, word); !longer.empty()) word = longer;
    const std::string flag = looked_up(kFlags, command, word);
    if (!flag.empty() && i + 1 < words.size() && is_boolean(words[i + 1])) {
      word = flag + "=" + words[++i];
    }
    plain.push_back(std::move(word));
  }
  return plain;
}

}  // namespace twofold
