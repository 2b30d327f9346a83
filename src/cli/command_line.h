// What the programs have in common: words in, an exit code out.
#ifndef TWOFOLD_SRC_CLI_COMMAND_LINE_H_
#define TWOFOLD_SRC_CLI_COMMAND_LINE_H_

namespace CLI {
class App;
}  // namespace CLI

namespace twofold {

// Parses the words and runs the command that they name. Commands print tables on stdout, or on stderr where a file that
// they write is stdout. An error is one line on stderr and exit code 1; of words that make no command, 2. SIGINT
// (Ctrl-C), SIGTERM and SIGHUP end a command within the time of one node, with exit code 128 and the signal's number,
// and no file half written.
int run_command_line(CLI::App& app, int argc, char** argv);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_COMMAND_LINE_H_
