// The report as a page: what stands in it, escaped; what is refused. tests/report/test_report_page.py opens it.
#include "report/report.h"

#include <gtest/gtest.h>

#include <string>

#include "base/message_of.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// What the page holds as data.
std::string data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const size_t at = page.find(begin) + begin.size();
  return page.substr(at, page.find("</script>", at) - at);
}

TEST(ReportTest, HoldsItsDataAndAllThatDrawsIt) {
  const std::string page = report_html(R"({"title": "a.onnx", "facts": [["Target", "cpu"]]})");
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_NE(page.find("<title>a.onnx</title>"), std::string::npos);
  EXPECT_EQ(data_of(page), R"({"title":"a.onnx","facts":[["Target","cpu"]]})");
  EXPECT_NE(page.find("Copyright (c) 2010-2016, Michael Bostock"), std::string::npos);
  EXPECT_EQ(page.find("{{"), std::string::npos);
  EXPECT_EQ(count(page, "<script"), 4u);
  EXPECT_EQ(count(page, "</script>"), 4u);
  EXPECT_EQ(count(page, "<!--"), 0u);
  for (const char* loads : {" src=", "<link", "@import", "url("}) EXPECT_EQ(count(page, loads), 0u) << loads;
}

TEST(ReportTest, NamesCannotEndTheScriptNorFillPlaces) {
  const std::string page = report_html(
      R"({"title": "</title><script>alert(1)</script>&{{d3}}",
          "graph": {"nodes": [{"name": "</script><!--{{page}}\"'\\", "op_type": "Add", "inputs": []}]}})");
  EXPECT_EQ(count(page, "</script>"), 4u);
  EXPECT_EQ(count(page, "<!--"), 0u);
  EXPECT_NE(page.find("<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;{{d3}}</title>"),
            std::string::npos);
  EXPECT_NE(data_of(page).find(R"("name":"\u003c/script>\u003c!--{{page}}\"'\\")"), std::string::npos) << data_of(page);
}

TEST(ReportTest, SameReportSameBytes) {
  const char* const report = R"({"title": "a", "tensors": [{"name": "t", "min": -0.1234567891234}]})";
  EXPECT_EQ(report_html(report), report_html(report));
  EXPECT_NE(report_html(report).find(R"("min":-0.1234568})"), std::string::npos);
}

TEST(ReportTest, RefusesNamingTheKey) {
  const auto refusal = [](const char* report) { return message_of([&] { report_html(report); }); };
  EXPECT_EQ(refusal("{}"), "title is missing");
  EXPECT_EQ(refusal(R"({"title": "a", "fact": []})"),
            "fact is not known; known are: title, facts, outputs, findings, config, sensitivity, figures, tensors, "
            "graph");
  EXPECT_EQ(refusal(R"({"title": "a", "facts": [["b"]]})"), "facts must hold pairs of texts");
  EXPECT_EQ(refusal(R"({"title": "a", "outputs": [{"name": "y", "metrics": {"sqnr": "high"}}]})"),
            "outputs[0].metrics.sqnr must be a number, null, \"inf\", \"-inf\" or \"nan\"");
  EXPECT_EQ(refusal(R"({"title": "a", "findings": [{"severity": "bad", "title": "t"}]})"),
            "findings[0].severity cannot be 'bad'; it is one of: limit, both, operand, note");
  EXPECT_EQ(refusal(R"({"title": "a", "findings": [{"severity": "note", "title": "t",
                "table": {"headings": ["x", "y"], "rows": [[1]]}}]})"),
            "findings[0].table.rows must hold one cell per heading");
  EXPECT_EQ(refusal(R"({"title": "a", "sensitivity": [{"unit": "node", "metrics": [], "rows": [{"name": "n"}]}]})"),
            "sensitivity[0].rows[0].metrics is missing");
  EXPECT_EQ(refusal(R"({"title": "a", "figures": [{"section": "s", "figure": {"kind": "pie"}}]})"),
            "figures[0].figure.kind cannot be 'pie'; it is one of: lines, histogram, boxes, bars");
  EXPECT_EQ(refusal(R"({"title": "a", "graph": {"nodes": [{"name": "n", "op_type": "Add", "inputs": [1]}]}})"),
            "graph.nodes[0].inputs must be indices of nodes, of which there are 1");
  EXPECT_EQ(refusal(R"({"title": "a", "graph": {"nodes": [{"name": "n", "op_type": "Add", "tensors": [-1]}]}})"),
            "graph.nodes[0].tensors must be a list of integers that are not negative");
  EXPECT_EQ(refusal(R"({"title": "a", "tensors": [{"name": "t", "histogram": {"low": 0, "series": []}}]})"),
            "tensors[0].histogram.step is missing");
  EXPECT_TRUE(refusal("").starts_with("report: "));
}

}  // namespace
}  // namespace twofold
