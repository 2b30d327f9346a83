// Which remedies are put together, on models whose noise is known: a sum over suspects.
#include "debug/outcome.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace twofold {
namespace {

Remedy remedy(RemedyKind kind, const std::string& node, double noise, double cost) {
  Remedy remedy{kind, "", {}, {}, noise};
  LevelConfig& level = remedy.lines.nodes[node];
  remedy.node_costs[node] = cost;
  level.operands[OperandRef::input(0)] = QType::kInt16;
  if (kind == RemedyKind::kAt16) level.operands[OperandRef::input(1)] = QType::kEc;
  if (kind == RemedyKind::kRange) level.activation.methods = {RangeMethod::kKl};
  if (kind == RemedyKind::kRange) level.operands.clear();
  return remedy;
}

// A sensitivity of one sample and output with this noise.
Sensitivity with_noise(double noise) {
  Sensitivity::Values values{};
  values[static_cast<size_t>(Metric::kSqnr)] = -10 * std::log10(noise);
  return Sensitivity({{values}});
}

class Model {
 public:
  explicit Model(std::vector<Examined> examined) : nodes(std::move(examined)) {}

  std::optional<Outcome> search(Examined* limit = nullptr) {
    OutcomeSearch::NodeNoise alone;
    for (const Examined& node : nodes) alone[node.suspect.name] = node.suspect.noise;
    OutcomeSearch search(nodes, kinds, limit, noise({}), alone, kOutputs, [this](const std::vector<NodeLines>& sets) {
      std::vector<Sensitivity> found;
      for (const NodeLines& lines : sets) found.push_back(with_noise(noise(lines)));
      return found;
    });
    return search.run();
  }

  static std::vector<std::string> names(const std::optional<Outcome>& outcome) {
    std::vector<std::string> names;
    for (const RepairStep& step : outcome->steps) names.push_back(step.examined->suspect.name);
    return names;
  }

  std::vector<Examined> nodes, kinds;

 private:
  // Of every node what its line leaves.
  double noise(const NodeLines& lines) const {
    double sum = 1e-6;
    for (const Examined& node : nodes) {
      const auto line = lines.find(node.suspect.name);
      const auto remedy = std::ranges::find_if(node.remedies, [&](const Remedy& tried) {
        const LevelConfig& level = tried.lines.nodes.at(node.suspect.name);
        return line != lines.end() && level.operands == line->second.level.operands &&
               level.activation == line->second.level.activation;
      });
      sum += remedy == node.remedies.end() ? node.suspect.noise : remedy->noise;
    }
    return sum;
  }

  static inline const std::vector<size_t> kOutputs = {0};
};

Examined node(const std::string& name, double noise, std::vector<Remedy> remedies) {
  return {{name, "Conv", {name}, noise}, true, std::move(remedies)};
}

TEST(Outcome, TakesAsFewAsAreNeededTheMostUsefulFirst) {
  std::vector<Examined> nodes;
  for (int i = 0; i < 6; ++i) {
    const double noise = 0.0015 * (i + 1);
    const std::string name(1, static_cast<char>('a' + i));
    nodes.push_back(node(name, noise, {remedy(RemedyKind::kFirstAt16, name, noise / 100, 0.1)}));
  }
  Model model(nodes);
  const auto outcome = model.search();
  ASSERT_TRUE(outcome);
  // Left: a with 0.0015, which is good enough.
  EXPECT_EQ(Model::names(outcome), (std::vector<std::string>{"f", "e", "d", "c", "b"}));
  EXPECT_NEAR(outcome->added_cost(), 0.5, 1e-12);
  EXPECT_LE(outcome->model.noise({0}), kTolerableNoise);
}

TEST(Outcome, LeavesOutWhatItCanDoWithout) {
  Model model({node("first", 0.0012, {remedy(RemedyKind::kFirstAt16, "first", 1e-5, 10)}),
               node("b", 0.0017, {remedy(RemedyKind::kFirstAt16, "b", 1e-5, 0.01)}),
               node("c", 0.0019, {remedy(RemedyKind::kFirstAt16, "c", 1e-5, 0.01)}), node("rest", 0.0004, {})});
  // Taken first, it is part of the first set that is good enough.
  EXPECT_EQ(Model::names(model.search(&model.nodes[0])), (std::vector<std::string>{"c", "b"}));
}

TEST(Outcome, WhatLimitsTheModelGoesFirst) {
  Model model({node("a", 0.01, {remedy(RemedyKind::kFirstAt16, "a", 1e-5, 0.1)}),
               node("b", 0.009, {remedy(RemedyKind::kFirstAt16, "b", 1e-5, 0.1)})});
  EXPECT_EQ(Model::names(model.search(&model.nodes[1])), (std::vector<std::string>{"b", "a"}));
}

TEST(Outcome, GoesOnToWhatHelpsMostWhereTheCheapestIsNotEnough) {
  Model model(
      {node("a", 0.05, {remedy(RemedyKind::kFirstAt16, "a", 0.008, 0.1), remedy(RemedyKind::kAt16, "a", 1e-5, 1)})});
  const auto outcome = model.search();
  ASSERT_TRUE(outcome);
  EXPECT_LE(outcome->model.noise({0}), kTolerableNoise);
  EXPECT_EQ(outcome->lines.at("a").level.operands.size(), 2U);
}

TEST(Outcome, PrefersARangeThatIsEnough) {
  Model model(
      {node("a", 0.05, {remedy(RemedyKind::kRange, "a", 1e-4, 0), remedy(RemedyKind::kFirstAt16, "a", 1e-5, 0.1)})});
  const auto outcome = model.search();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->added_cost(), 0);
  EXPECT_EQ(outcome->steps.front().remedy->kind, RemedyKind::kRange);
}

TEST(Outcome, IsTheBestThereIsWhereNothingIsGoodEnough) {
  Model model({node("a", 0.05, {remedy(RemedyKind::kFirstAt16, "a", 0.009, 0.1)}), node("b", 0.5, {})});
  const auto outcome = model.search();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(Model::names(outcome), (std::vector<std::string>{"a"}));
}

TEST(Outcome, IsNoneWhereNothingHelps) {
  EXPECT_FALSE(Model({node("a", 0.05, {}), node("b", 0.05, {remedy(RemedyKind::kRange, "b", 0.04, 0)})}).search());
}

TEST(Examined, IsSensitiveInBothInputsWhereNeitherAloneIsEnough) {
  const auto with = [](double first, double second, double both, double noise = 0.1) {
    return node("a", noise,
                {remedy(RemedyKind::kFirstAt16, "a", first, 0), remedy(RemedyKind::kSecondAt16, "a", second, 0),
                 remedy(RemedyKind::kAt16, "a", both, 0)})
        .both_inputs();
  };
  EXPECT_TRUE(with(0.05, 0.05, 1e-4));
  EXPECT_FALSE(with(0.01, 0.09, 1e-4)) << "the first alone is enough";
  EXPECT_FALSE(with(0.09, 0.01, 1e-4)) << "the second alone is enough";
  EXPECT_FALSE(with(0.05, 0.05, 0.05)) << "both are not enough";
  EXPECT_FALSE(with(5e-5, 5e-5, 1e-9, 1e-4)) << "it does not matter";
}

TEST(ChosenRemedy, IsTheCheapestThatIsEnoughAndFloatLast) {
  const Suspect suspect{"a", "Conv", {"a"}, 0.1};
  const std::vector<Remedy> remedies = {remedy(RemedyKind::kRange, "a", 0.015, 0),
                                        remedy(RemedyKind::kFirstAt16, "a", 0.01, 1),
                                        remedy(RemedyKind::kAt16, "a", 1e-6, 3), remedy(RemedyKind::kFloat, "a", 0, 2)};
  const auto chosen = [&](Effort effort) { return chosen_remedy(remedies, suspect, effort)->kind; };
  EXPECT_EQ(chosen(Effort::kCheapest), RemedyKind::kRange);
  EXPECT_EQ(chosen(Effort::kPrecision), RemedyKind::kFirstAt16);
  EXPECT_EQ(chosen(Effort::kMost), RemedyKind::kAt16);
  EXPECT_EQ(chosen_remedy({remedies[3]}, suspect, Effort::kCheapest)->kind, RemedyKind::kFloat);
  EXPECT_EQ(chosen_remedy({remedy(RemedyKind::kRange, "a", 0.06, 0)}, suspect, Effort::kCheapest), nullptr);
}

}  // namespace
}  // namespace twofold
