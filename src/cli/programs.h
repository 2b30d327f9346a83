// The programs of the command line, for whatever process they run in.
#ifndef TWOFOLD_SRC_CLI_PROGRAMS_H_
#define TWOFOLD_SRC_CLI_PROGRAMS_H_

namespace twofold {

// `twofold`, and `twofold-debugger`: the commands of `twofold debug`, for scripts that know the debugger as a program
// of its own. They run the command that the words name and return the exit code (run_command_line() says which). Ctrl-C
// is theirs from then on: to be called once, by a process that ends with the command.
int run_twofold(int argc, char** argv);
int run_debugger(int argc, char** argv);

// Starts the process again with OpenMP threads that soon sleep while they wait, unless the environment says how they
// wait; to be called first in main(). GNU's OpenMP runtime, which reads the environment before main() is called, lets
// them spin for milliseconds. Where other programs want the cores too, a thread that spins keeps out the one it waits
// for; where none do, waking one up takes as long as a small operator (docs/architecture.md has figures).
void spin_shortly(char** argv);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_PROGRAMS_H_
