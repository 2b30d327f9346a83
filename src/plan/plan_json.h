// Plans as JSON files: what quantization, debugging, tuning and training exchange. docs/config.md describes the format.
#ifndef TWOFOLD_SRC_PLAN_PLAN_JSON_H_
#define TWOFOLD_SRC_PLAN_PLAN_JSON_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "plan/plan.h"

namespace twofold {

// Version 1 lacked the hashes of contents, bias_shift and activation_format: less than a model is made of again.
// Version 2 had no equalizations, without which the same scales mean another model.
inline constexpr int kPlanVersion = 3;

// One operand per line, so that two plans can be compared with diff.
std::string plan_to_json(const Plan& plan);

// `label` stands for the file in messages. Throws Error(kInvalidArgument) that names the key, also for a version that
// is newer than kPlanVersion.
Plan plan_from_json(std::string_view text, std::string_view label);

// Writes the file whole or not at all. Throws Error(kIo).
void save_plan(const Plan& plan, const std::filesystem::path& path);
Plan load_plan(const std::filesystem::path& path);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_PLAN_JSON_H_
