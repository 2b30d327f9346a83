// A user's own metric of a model.
#ifndef TWOFOLD_SRC_API_EVALUATE_COMMAND_H_
#define TWOFOLD_SRC_API_EVALUATE_COMMAND_H_

#include <filesystem>
#include <string>

namespace twofold {

// Throws Error(kInvalidArgument) for a command without {model}. An empty one is none.
void check_evaluate_command(const std::string& command);

// Runs a command through the shell, with {model} replaced by the path in quotes, and reads the last word it prints as a
// number. What it writes to stderr goes to stderr. Throws Error(kInvalidArgument) for a command without {model}, one
// that fails, and one whose last word is no number.
double number_from_command(const std::string& command, const std::filesystem::path& model);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_EVALUATE_COMMAND_H_
