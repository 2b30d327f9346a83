// The examples of docs/config.md are read as they stand.
#include <gtest/gtest.h>

#include "base/files.h"
#include "plan/config.h"
#include "plan/target.h"
#include "support/source_dir.h"

namespace twofold {
namespace {

std::vector<std::string> yaml_examples(const std::string& page) {
  std::vector<std::string> examples;
  const std::string begin = "```yaml\n", end = "\n```";
  for (size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at)) {
    at += begin.size();
    examples.push_back(page.substr(at, page.find(end, at) - at));
  }
  return examples;
}

TEST(ConfigPage, ExamplesWork) {
  const std::vector<std::string> examples = yaml_examples(read_text_file(source_dir() / "docs/config.md"));
  ASSERT_EQ(examples.size(), 2U);
  const QuantConfig config = parse_config(examples[0], "docs/config.md");
  EXPECT_EQ(config.nodes.at("MatMul_7").operands.at(OperandRef::input(1)), QType::kEc);
  EXPECT_EQ(parse_target(examples[1], "docs/config.md").name, "my-npu");
}

}  // namespace
}  // namespace twofold
