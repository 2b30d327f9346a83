// Reads JSON from standard input and writes the page of a report, or with --svg the file of a figure, to standard
// output. For tests/report/test_report_page.py, which looks at both in a browser.
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "report/plot.h"
#include "report/report.h"
#include "twofold/error.h"

int main(int argc, char** argv) {
  const std::string json{std::istreambuf_iterator<char>(std::cin), {}};
  try {
    std::cout << (argc > 1 && std::string_view(argv[1]) == "--svg" ? twofold::plot_svg(json)
                                                                   : twofold::report_html(json));
  } catch (const twofold::Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
