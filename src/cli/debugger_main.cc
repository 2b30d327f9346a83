#include "cli/programs.h"

int main(int argc, char** argv) {
  twofold::spin_shortly(argv);
  return twofold::run_debugger(argc, argv);
}
