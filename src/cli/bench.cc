#include "twofold/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>

#include "base/progress.h"
#include "base/table.h"
#include "cli/commands.h"
#include "cli/cost_table.h"
#include "cli/option_values.h"
#include "cli/output.h"

namespace twofold {

namespace {

constexpr size_t kSlowest = 15;

std::string milliseconds(double seconds) { return fmt::format("{:.3f}", 1000 * seconds); }

double total(const BenchReport& report) {
  double sum = 0;
  for (const NodeTime& node : report.nodes) sum += node.seconds;
  return sum;
}

std::string mebibytes(int64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / (1 << 20)); }

std::string percent(double part, double whole) { return fmt::format("{:.1f}", whole > 0 ? 100 * part / whole : 0); }

std::string operator_table(const BenchReport& report) {
  struct Sum {
    int nodes = 0;
    double seconds = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const NodeTime& node : report.nodes) {
    Sum& sum = sums[{node.op_type, runs_as(node.kind, node.ec_passes)}];
    ++sum.nodes;
    sum.seconds += node.seconds;
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Sum>> rows(sums.begin(), sums.end());
  std::ranges::stable_sort(rows, [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  Table table({"operator", "runs as", ">nodes", ">ms", ">%"});
  for (const auto& [key, sum] : rows) {
    table.add({key.first, key.second, std::to_string(sum.nodes), milliseconds(sum.seconds),
               percent(sum.seconds, total(report))});
  }
  return table.text(text_columns());
}

std::string node_table(const BenchReport& report) {
  Table table({"slowest nodes", "operator", "runs as", ">ms", ">%"});
  for (size_t i = 0; i < std::min(kSlowest, report.nodes.size()); ++i) {
    const NodeTime& node = report.nodes[i];
    table.add({node.name, node.op_type, runs_as(node.kind, node.ec_passes), milliseconds(node.seconds),
               percent(node.seconds, total(report))});
  }
  return table.text(text_columns());
}

void print(const BenchReport& report) {
  print_text("{}\n{}\n", operator_table(report), node_table(report));
  print_text("{} threads, {} runs: best {} ms, median {} ms; loading {} ms, first run {} ms\n", report.threads,
             report.runs, milliseconds(report.best_seconds), milliseconds(report.median_seconds),
             milliseconds(report.load_seconds), milliseconds(report.first_seconds));
  print_text("memory: activations at most {} MiB at once, packed weights {} MiB\n", mebibytes(report.activation_bytes),
             mebibytes(report.packed_bytes));
}

CostReport measured_costs(CostOptions options) {
  ProgressBar bar;
  options.progress = [&bar](std::string_view stage, int64_t done, int64_t total) { bar.update(stage, done, total); };
  return calibrate_costs(options);
}

struct Arguments {
  std::filesystem::path model, json;
  Samples data;
  int threads = 0;
  std::optional<double> seconds;
  bool ec_in_two_passes = false;
  bool calibrate = false;
  CostOptions costs;
};

void run(const Arguments& arguments) {
  if (arguments.calibrate) {
    CostOptions options = arguments.costs;
    options.threads = arguments.threads;
    options.seconds = arguments.seconds.value_or(options.seconds);
    const CostReport report = measured_costs(options);
    write_json(arguments.json, to_json(report));
    print_text("{}", cost_text(report));
    return;
  }
  if (arguments.model.empty()) throw CLI::RequiredError("MODEL");
  BenchOptions options{.threads = arguments.threads, .ec_in_two_passes = arguments.ec_in_two_passes};
  options.seconds = arguments.seconds.value_or(options.seconds);
  const BenchReport report = bench_model(arguments.model, arguments.data, options);
  write_json(arguments.json, to_json(report));
  print(report);
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "bench", "Time a model and show which operators the time goes to, or measure the costs of a target file");
  auto arguments = std::make_shared<Arguments>();
  CLI::Option* model = command->add_option("MODEL", arguments->model, "The ONNX model, float or quantized");
  CLI::Option* data = command->add_option("--data", arguments->data.path,
                                          "Samples, of which the first is run; random numbers if not given");
  data->type_name("DIR");
  command->add_option("--threads", arguments->threads, "Threads; 0: one per core")
      ->check(thread_count())
      ->capture_default_str();
  command
      ->add_option("--seconds", arguments->seconds,
                   "Time to spend on each of the two measurements (default 2), or on each cost (0.3)")
      ->check(positive_number());
  CLI::Option* ec = add_ec_option(*command, arguments->ec_in_two_passes);
  CLI::Option* calibrate =
      command->add_flag("--calibrate-costs", arguments->calibrate,
                        "No model: measure what precisions cost on this CPU, as a target file says it");
  command->add_option("--target", arguments->costs.target, "The target, a name or a file, for --calibrate-costs")
      ->needs(calibrate)
      ->capture_default_str();
  calibrate->excludes(model)->excludes(data)->excludes(ec);
  add_json_option(*command, arguments->json);
  command->footer(
      "Example:\n  twofold bench model_int8.onnx --threads 1\n"
      "  twofold bench --calibrate-costs --target my_target.yaml --threads 1 --json costs.json");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace twofold
