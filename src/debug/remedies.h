// What could be done about operators that lose accuracy, tried on them.
#ifndef TWOFOLD_SRC_DEBUG_REMEDIES_H_
#define TWOFOLD_SRC_DEBUG_REMEDIES_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "debug/replan.h"
#include "debug/sensitivity.h"

namespace twofold {

// One node, or several that are suspected together.
struct Suspect {
  std::string name;
  std::string op_type;  // empty: of several
  std::vector<std::string> nodes;
  double noise = 0;  // alone, as the tested plan quantizes it (Sensitivity::noise)
};

enum class RemedyKind : uint8_t {
  kFirstAt16,   // of a Gemm-type operator the first input alone,
  kSecondAt16,  // the second one alone,
  kAt16,        // both; of any other operator all inputs
  kRange,       // another range method
  kRounding,    // of the weight
  kFloat,
};

struct Remedy {
  RemedyKind kind = RemedyKind::kAt16;
  std::string words;        // "input0 int16, input1 ec"; "range by kl"
  QuantConfig lines;        // what a config needs
  Sensitivity sensitivity;  // of the suspect alone, treated so
  double noise = 0;
  // What each of its nodes costs more on the target, by the cost of the whole tested plan; conversions not counted.
  std::map<std::string, double> node_costs = {};

  double added_cost() const;  // of all of them
};

// Nodes for which the config sets something by name: that is left as it is.
struct FixedSettings {
  std::set<std::string> precision, activation, weight;
};

struct RemedyOptions {
  std::function<SensitivityOptions(size_t models)> measuring;  // how to measure so many
  std::vector<size_t> outputs = {};
  FixedSettings fixed = {};
  size_t with_ranges = 8;              // ranges and roundings are tried of so many suspects, the first ones
  std::map<std::string, double> work;  // of every node, as PlanCost has it
  double whole_cost = 1;               // of the tested plan
};

// Per suspect what can be asked for and is granted, each measured; cheapest first. Empty where nothing can be done.
// `model` has the samples to measure on.
std::vector<std::vector<Remedy>> try_remedies(Replanner& replanner, CalibratedModel& model,
                                              const std::vector<Suspect>& suspects, const RemedyOptions& options);

// How much may be spent on a suspect.
enum class Effort : uint8_t {
  kCheapest,   // whatever helps for the least cost
  kPrecision,  // other precisions, which help on data that nobody has looked at, too
  kMost,       // whatever helps most, short of float32
};

// The cheapest one that leaves at most a fifth of the suspect's noise, else the one that leaves least; of kMost the one
// that leaves least. nullptr where none halves it.
const Remedy* chosen_remedy(const std::vector<Remedy>& remedies, const Suspect& suspect, Effort effort);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_REMEDIES_H_
