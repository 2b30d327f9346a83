// Values that options take.
#ifndef TWOFOLD_SRC_CLI_OPTION_VALUES_H_
#define TWOFOLD_SRC_CLI_OPTION_VALUES_H_

#include <CLI/CLI.hpp>
#include <cstdint>

namespace twofold {

// CLI11's own validators say in hundreds of characters what they do not take. These say it in one line.

// Whole numbers from `least` on.
CLI::Validator at_least(int64_t least);
// What ThreadScope takes (base/thread_limit.h).
CLI::Validator thread_count();
// Numbers above 0.
CLI::Validator positive_number();
// "4GB", "512MB", "1000000" become bytes.
CLI::Validator memory_size();

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_OPTION_VALUES_H_
