#include "api/plan_of_file.h"

#include "base/error.h"
#include "plan/fingerprint.h"
#include "plan/plan_json.h"
#include "quantize/carry_over.h"
#include "quantize/check_plan.h"
#include "quantize/equalize.h"

namespace twofold {

Plan plan_of_file(const std::filesystem::path& path, const Graph& graph, bool by_name) {
  Plan plan = load_plan(path);
  if (plan.content_hash.empty()) {
    throw_error(ErrorCode::kInvalidArgument,
                "{}: this plan was made by an older Twofold and lacks what is needed to quantize by it; make it again",
                path.string());
  }
  if (by_name) {
    plan = carry_over(plan, graph);
  } else {
    check_same_model(plan, graph);
  }
  check_plan(plan, equalize(graph, plan.equalizations));
  return plan;
}

}  // namespace twofold
