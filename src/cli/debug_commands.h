// The commands of the debugger.
#ifndef TWOFOLD_SRC_CLI_DEBUG_COMMANDS_H_
#define TWOFOLD_SRC_CLI_DEBUG_COMMANDS_H_

#include <string>
#include <vector>

#include "base/progress.h"
#include "twofold/debug.h"

namespace CLI {
class App;
}  // namespace CLI

namespace twofold {

// All of them, to `twofold debug` or to the program that has no others.
void add_debug_commands(CLI::App& debug);

void add_sensitivity(CLI::App& debug);
void add_error_curves(CLI::App& debug);
void add_distributions(CLI::App& debug);
void add_sensitivity_analysis(CLI::App& debug);
void add_run_all(CLI::App& debug);
void add_compare_dumps(CLI::App& debug);

// A command with its example, which may also be written with '_' for '-'.
CLI::App& add_debug_command(CLI::App& debug, const std::string& name, const std::string& what,
                            const std::string& example);
// MODEL, DATA, -c, --target, --plan, --memory and --threads.
void add_subject_options(CLI::App& command, DebugSubject& subject);

// -d, and -s for what it is the folder of.
void add_data_num(CLI::App& command, int64_t& data_num);
void add_save_dir(CLI::App& command, std::filesystem::path& save_dir, const char* of);

// --estimate and --confirm.
void add_estimate_options(CLI::App& command, bool& estimate, int64_t& confirm);
// --write-config and --evaluate.
void add_outcome_options(CLI::App& command, std::filesystem::path& write_config, std::string& evaluate);

// The subject of a job that shows a progress bar, which must outlive it.
DebugSubject with_progress(DebugSubject subject, ProgressBar& bar);
void print_files(const std::vector<std::string>& files);

// The lists of plot-acc-error.
void read_curves(const std::string& quantize, const std::string& non_quantize, ErrorCurveJob& job);

// Options as the scripts of others write them, in the form that CLI11 reads: "-nq" becomes "--non_quantize_node", and a
// flag that is followed by True or False takes that as its value.
std::vector<std::string> plain_words(std::vector<std::string> words);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_DEBUG_COMMANDS_H_
