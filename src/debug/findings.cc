#include "debug/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/output_noise.h"

namespace twofold {

namespace {

std::string described(const Suspect& suspect) {
  if (suspect.nodes.size() == 1) return fmt::format("{} '{}'", suspect.op_type, suspect.name);
  if (suspect.op_type == suspect.name) return fmt::format("{} ({} nodes)", suspect.name, suspect.nodes.size());
  return fmt::format("block '{}' ({} nodes)", suspect.name, suspect.nodes.size());
}

// "channels 3 and 7", "channels 3, 7, 9 and 4 more".
std::string channel_list(const std::vector<int>& channels) {
  constexpr size_t kNamed = 3;
  if (channels.size() == 1) return fmt::format("channel {}", channels[0]);
  std::string text = "channels ";
  const size_t named = std::min(kNamed, channels.size());
  for (size_t i = 0; i < named; ++i) {
    if (i > 0) text += i + 1 == channels.size() ? " and " : ", ";
    text += std::to_string(channels[i]);
  }
  if (channels.size() > kNamed) text += fmt::format(" and {} more", channels.size() - kNamed);
  return text;
}

std::string explanation(const OperandCause& cause) {
  const std::string where = fmt::format("{} ('{}')", to_string(cause.operand), cause.value);
  switch (cause.cause) {
    case Cause::kClipping:
      return fmt::format(
          "{} is clipped: {:.3g} % of its numbers are beyond the threshold {:.6g}, up to {:.6g}; cutting them alone "
          "leaves {}, rounding alone {}.",
          where, 100 * cause.clipped, cause.threshold, cause.largest, decibels(cause.clipping),
          decibels(cause.rounding));
    case Cause::kChannels:
      return fmt::format(
          "The range of {} is set by {} (up to {:.6g}; all others stay below {:.6g}), too coarse for the rest: {}, "
          "where a scale for every channel would give {}.",
          where, channel_list(cause.channels), cause.largest, cause.others, decibels(cause.rounding),
          decibels(cause.per_channel));
    case Cause::kRounding:
      return fmt::format("{} is rounded too coarsely: {} of error from rounding alone, {} from clipping.", where,
                         decibels(cause.rounding), decibels(cause.clipping));
  }
  return "";
}

// What the inputs of a product make of it, one at a time and together.
std::string both_inputs(const Examined& node) {
  std::string text = fmt::format("At 8 bits {}", decibels(node.suspect.noise));
  for (const Remedy& remedy : node.remedies) {
    const bool one = remedy.kind == RemedyKind::kFirstAt16 || remedy.kind == RemedyKind::kSecondAt16;
    if (one || remedy.kind == RemedyKind::kAt16)
      text += fmt::format("; with {} {}", remedy.words, decibels(remedy.noise));
  }
  return text + ".";
}

class Words {
 public:
  Words(const Diagnosis& diagnosis, const std::vector<size_t>& outputs) : diagnosis_(diagnosis), outputs_(outputs) {}

  std::vector<Finding> run() {
    if (diagnosis_.is_good()) {
      add({FindingKind::kNote,
           "Nothing to do: the quantized model is as good as it has to be",
           fmt::format("Its output has {} of signal over noise; {} is good enough.", decibels(diagnosis_.noise),
                       decibels(kTolerableNoise)),
           {},
           "",
           {}});
      return std::move(findings_);
    }
    if (diagnosis_.limit != nullptr) limit(*diagnosis_.limit);
    for (const Examined& node : diagnosis_.nodes) {
      if (node.needed && &node != diagnosis_.limit) add(of_node(node));
    }
    for (const auto* groups : {&diagnosis_.kinds, &diagnosis_.blocks}) {
      for (const Examined& group : *groups) {
        if (group.needed && &group != diagnosis_.limit) add(of_group(group, FindingKind::kOperand));
      }
    }
    outcome();
    sum();
    return std::move(findings_);
  }

 private:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }

  void limit(const Examined& limit) {
    Finding finding = limit.suspect.nodes.size() == 1 ? of_node(limit) : of_group(limit, FindingKind::kLimit);
    if (limit.suspect.nodes.size() == 1 && !limit.both_inputs()) finding.kind = FindingKind::kLimit;
    finding.text = fmt::format(
        "Alone, with everything else in float, it leaves the output {} of signal over noise; the "
        "whole model has {}. {}",
        decibels(limit.suspect.noise), decibels(diagnosis_.noise), finding.text);
    add(std::move(finding));
  }

  static Finding of_node(const Examined& node) {
    Finding finding{
        node.both_inputs() ? FindingKind::kBoth : FindingKind::kOperand, "", "", node.suspect.nodes, "", {}};
    const Remedy* remedy = node.remedy();
    if (node.both_inputs()) {
      finding.title = fmt::format("{} is sensitive in both inputs", described(node.suspect));
      finding.text = both_inputs(node);
    } else if (!node.causes.empty()) {
      finding.title =
          fmt::format("{} loses accuracy by {}", described(node.suspect), to_string(node.causes.front().cause));
    } else {
      finding.title = fmt::format("{} loses accuracy", described(node.suspect));
    }
    for (const OperandCause& cause : node.causes) {
      if (cause.noise * 10 < node.suspect.noise) continue;
      finding.text += fmt::format("{}{}", finding.text.empty() ? "" : " ", explanation(cause));
    }
    add_remedy(remedy, finding);
    return finding;
  }

  static Finding of_group(const Examined& group, FindingKind kind) {
    Finding finding{kind, "", "", group.suspect.nodes, "", {}};
    finding.title =
        fmt::format("{} limit{} the model", described(group.suspect), group.suspect.op_type.empty() ? "s" : "");
    if (kind != FindingKind::kLimit) finding.title = fmt::format("{}: together too coarse", described(group.suspect));
    add_remedy(group.remedy(), finding);
    return finding;
  }

  static std::string cost_text(double added) {
    if (std::fabs(added) < 0.0005) return "at no cost to speak of";
    return fmt::format("at {:+.1f} % of the model's cost", 100 * added);
  }

  static void add_remedy(const Remedy* remedy, Finding& finding) {
    const std::string_view space = finding.text.empty() ? "" : " ";
    if (remedy == nullptr) {
      finding.text += fmt::format("{}Nothing that the target and the config allow helps.", space);
      return;
    }
    finding.remedy = remedy->words;
    finding.lines = remedy->lines;
    finding.text += fmt::format("{}With {} it leaves {}, {}.", space, remedy->words, decibels(remedy->noise),
                                cost_text(remedy->added_cost()));
  }

  void outcome() {
    const double noise = diagnosis_.repaired.noise(outputs_);
    const double before = diagnosis_.costs.total();
    const double cost = before > 0 ? diagnosis_.repaired_cost / before : 1;
    add({FindingKind::kNote,
         noise <= kTolerableNoise ? "With these lines the model is as good as it has to be"
                                  : "With these lines the model is better, and not good enough yet",
         fmt::format("{} instead of {} ({} is good enough), at {:.2f} times the cost.", decibels(noise),
                     decibels(diagnosis_.noise), decibels(kTolerableNoise), cost),
         {},
         "",
         {}});
  }

  void sum() {
    add({FindingKind::kNote,
         "How far single errors add up",
         fmt::format("Added up, the errors of all nodes alone make {}; all nodes together {}.",
                     decibels(diagnosis_.sum), decibels(diagnosis_.noise)),
         {},
         "",
         {}});
  }

  const Diagnosis& diagnosis_;
  const std::vector<size_t>& outputs_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLimit: return "limit";
    case FindingKind::kBoth: return "both";
    case FindingKind::kOperand: return "operand";
    case FindingKind::kNote: return "note";
  }
  return "note";
}

std::vector<Finding> findings_of(const Diagnosis& diagnosis, const std::vector<size_t>& outputs) {
  return Words(diagnosis, outputs).run();
}

}  // namespace twofold
