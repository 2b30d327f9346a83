// What limits a quantized model, why, and which lines of the config help for the least cost.
#ifndef TWOFOLD_FINDINGS_H_
#define TWOFOLD_FINDINGS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "twofold/debug_subject.h"
#include "twofold/sensitivity.h"

namespace twofold {

struct FindingsJob {
  std::vector<std::string> metrics = {"cosine-similarity"};  // of tables
  std::vector<std::string> outputs = {};                     // of the model; empty: all
  int64_t data_num = 1;                                      // samples; 0: all
  std::filesystem::path save_dir = "debug_result";
  bool resume = false;
  bool estimate = false;  // as SensitivityJob's; what is suspected is measured in any case
  int64_t confirm = 40;
  // Where to write the config with the lines added; empty: nowhere.
  std::filesystem::path write_config = {};
  // A command in which {model} stands for a quantized model's file, and whose last word of output is a number: run on
  // the model as tested, and with the lines. Empty: none.
  std::string evaluate = {};
};

struct FindingRow {
  std::string kind;  // "limit", "both", "operand", "note"
  std::string title, text;
  std::vector<std::string> nodes;
  std::string remedy;  // in a few words
  std::string lines;   // of a config
};

// An operator with two inputs that are quantized, and what it alone does to the model: the first metric at each.
struct BothInputsRow {
  std::string node, op_type;
  double mac_share = 0;  // of the model's multiply-accumulates
  double int8 = 0, first_at_16 = 0, second_at_16 = 0, both_at_16 = 0;
  std::string first, second;  // "input0 int16", "input1 ec"
  bool needs_both = false;
};

// All operators of a type, or in a folder of names, alone; and what is left of it with its remedy.
struct GroupRow {
  std::string name;
  int nodes = 0;
  double decibels = 0;  // signal over noise; infinite without error
  std::string remedy;
  double repaired_decibels = 0;
};

// Something that was tried on a node: the node alone, then.
struct RemedyRow {
  std::string node, remedy;
  double decibels = 0, added_cost = 0;  // as a share of the whole model's
  bool chosen = false;
};

struct FindingsReport {
  std::string model;
  bool good = false;                       // before anything is changed
  std::vector<FindingRow> findings;        // what limits the model first
  std::vector<BothInputsRow> both_inputs;  // worst first
  std::vector<GroupRow> kinds, blocks;     // worst first
  std::vector<RemedyRow> remedies;         // in the order of nodes
  std::string lines;                       // of all that is needed, for a config
  // Metric -> value of the whole model on the samples, of its worst output.
  std::map<std::string, double> before, after;
  double cost = 0, cost_after = 0;  // in multiply-accumulates of int8 x int8
  double noise_sum = 0, noise = 0;  // of all nodes alone, added up; of the whole model (error energy by signal energy)
  std::vector<std::pair<std::string, double>> evaluations;  // "as tested", "with the lines"
  SensitivityReport nodes;                                  // each alone
  std::vector<std::string> files;
};

// Measures every node, diagnoses, and writes findings.json into save_dir. Throws Error.
FindingsReport find_remedies(const DebugSubject& subject, const FindingsJob& job);

std::string to_json(const FindingsReport& report);
// As the command line prints it; with `columns` its tables are no wider than that.
std::string to_text(const FindingsReport& report, size_t columns = 0);

}  // namespace twofold

#endif  // TWOFOLD_FINDINGS_H_
