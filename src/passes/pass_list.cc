#include "passes/pass_list.h"

#include <chrono>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/error.h"
#include "traits/signature.h"

namespace twofold {

namespace {

void verify_after(const Pass& pass, const Graph& graph) {
  try {
    verify(graph);
    check_operands(graph);
  } catch (const Error& error) {
    throw_error(error.code(), "after pass {}: {}", pass.name, error.what());
  }
}

}  // namespace

std::vector<PassReport> new_reports(const std::vector<Pass>& passes) {
  std::vector<PassReport> reports;
  for (const Pass& pass : passes) reports.push_back({pass.name, 0, 0});
  return reports;
}

int run_each_once(const std::vector<Pass>& passes, Graph& graph, std::vector<PassReport>& reports) {
  TWOFOLD_CHECK(reports.size() == passes.size());
  int total = 0;
  for (size_t i = 0; i < passes.size(); ++i) {
    throw_if_cancelled();
    const auto start = std::chrono::steady_clock::now();
    const int rewrites = passes[i].run(graph);
    if (rewrites > 0) verify_after(passes[i], graph);
    reports[i].rewrites += rewrites;
    reports[i].seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    total += rewrites;
  }
  return total;
}

}  // namespace twofold
