// Figures as SVG: their form, what is refused, and that nothing in them is taken for markup.
#include "report/plot.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/message_of.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

const char* const kLines = R"({"kind": "lines", "title": "Error", "subtitle": "8 samples", "x": ["a", "b", "c"],
  "x_label": "node", "y_label": "1 - cosine", "y_scale": "log",
  "series": [{"name": "all", "values": [0.001, null, 0.1]}, {"name": "weights", "values": [0, 1e-7, 1e-3]}]})";
const char* const kHistogram = R"({"kind": "histogram", "title": "x", "x_label": "value", "low": -1, "step": 0.5,
  "series": [{"name": "float", "counts": [1, 10, 1000, 0]}, {"name": "quantized", "counts": [0, 1011, 0, 0]}],
  "thresholds": [-0.5, 0.5], "note": "0.3 % clipped"})";
const char* const kBoxes = R"({"kind": "boxes", "title": "w", "boxes": [[-1, -0.5, 0, 0.5, 1],
  [null, null, null, null, null]], "names": ["first", "second"], "thresholds": [-0.7, 0.7]})";
const char* const kBars = R"({"kind": "bars", "title": "worst", "names": ["a", "b"], "values": [0.25, "inf"],
  "series": "int8", "x_label": "error"})";
const std::vector<std::string> kAll = {kLines, kHistogram, kBoxes, kBars};

// What is wrong with an XML text of elements, quoted attributes and text; empty if nothing is.
std::string xml_mistake(const std::string& xml) {
  std::vector<std::string> open;
  bool ended = false;
  for (size_t i = 0; i < xml.size();) {
    if (xml[i] == '&' && xml.find(';', i) > i + 6) return "a bare & at " + xml.substr(i, 20);
    if (xml[i] != '<') {
      ++i;
      continue;
    }
    if (ended) return "more than one root";
    const size_t end = xml.find('>', i);
    if (end == std::string::npos) return "a tag without end";
    const std::string tag = xml.substr(i + 1, end - i - 1);
    if (tag.find('<') != std::string::npos) return "a bare < in " + tag;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return "ended out of turn: " + tag;
      open.pop_back();
    } else {
      size_t quotes = 0;
      for (const char c : tag) quotes += c == '"';
      if (quotes % 2 != 0) return "quotes in " + tag;
      if (tag.back() != '/') open.push_back(tag.substr(0, tag.find(' ')));
    }
    ended = open.empty();
    i = end + 1;
  }
  return ended ? "" : "not ended";
}

TEST(PlotTest, EveryKindIsAnSvgFileThatNeedsNothing) {
  for (const std::string& figure : kAll) {
    const std::string svg = plot_svg(figure);
    EXPECT_EQ(xml_mistake(svg), "") << svg;
    EXPECT_TRUE(svg.starts_with("<svg class=\"figure\" width=\"760\"")) << svg.substr(0, 80);
    EXPECT_NE(svg.find("xmlns=\"http://www.w3.org/2000/svg\""), std::string::npos);
    EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
    EXPECT_EQ(svg.find("NaN"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("undefined"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("href"), std::string::npos);
  }
}

TEST(PlotTest, SameFigureSameBytes) {
  std::vector<std::string> first;
  for (const std::string& figure : kAll) first.push_back(plot_svg(figure));
  for (size_t i = kAll.size(); i-- > 0;) EXPECT_EQ(plot_svg(kAll[i]), first[i]);
  std::vector<std::string> elsewhere(kAll.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kAll.size(); ++i) threads.emplace_back([&, i] { elsewhere[i] = plot_svg(kAll[i]); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(elsewhere, first);
}

TEST(PlotTest, ShowsTitlesLabelsAndLegends) {
  const std::string svg = plot_svg(kHistogram);
  for (const char* text :
       {">value<", ">count<", ">float<", ">quantized<", ">thresholds -0.5, 0.5<", ">0.3 % clipped<"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
}

TEST(PlotTest, NamesAreNeverMarkup) {
  const std::string svg = plot_svg(R"({"kind": "bars", "title": "</title><script>alert(1)</script>",
      "names": ["\"/><a onclick='x'>&amp;", "bell \u0007, \u00e4 \u732b \ud83d\udc31"], "values": [1, 2]})");
  EXPECT_EQ(xml_mistake(svg), "") << svg;
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_EQ(svg.find("<a "), std::string::npos);
  EXPECT_NE(svg.find("&lt;/title&gt;&lt;script&gt;alert(1)"), std::string::npos);
  EXPECT_NE(svg.find("&quot;/&gt;&lt;a onclick=&#39;x&#39;&gt;&amp;amp;"), std::string::npos);
  EXPECT_NE(svg.find("bell \uFFFD, ä 猫 🐱: 2"), std::string::npos) << svg;
}

TEST(PlotTest, LongNamesAreShortenedAndTheirTooltipsAreNot) {
  const std::string name = "/encoder/" + std::string(200, 'x') + "/MatMul";
  const std::string svg = plot_svg(R"({"kind": "bars", "title": "t", "names": [")" + name + R"("], "values": [1]})");
  EXPECT_NE(svg.find("<title>" + name + ": 1</title>"), std::string::npos);
  EXPECT_NE(svg.find("…"), std::string::npos);
  EXPECT_EQ(svg.find(">" + name + "<"), std::string::npos);
}

TEST(PlotTest, DrawsFiguresWithNothingInThem) {
  for (const char* figure : {R"({"kind": "lines", "title": "", "x": [], "series": []})",
                             R"({"kind": "lines", "title": "", "x": [1], "series": [{"name": "", "values": [null]}]})",
                             R"({"kind": "lines", "title": "", "x": [3], "series": [{"name": "", "values": [2]}]})",
                             R"({"kind": "histogram", "title": "", "low": 0, "step": 1, "series": []})",
                             R"({"kind": "boxes", "title": "", "boxes": []})",
                             R"({"kind": "bars", "title": "", "names": [], "values": []})"}) {
    const std::string svg = plot_svg(figure);
    EXPECT_EQ(xml_mistake(svg), "") << figure;
    EXPECT_EQ(svg.find("NaN"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("Infinity"), std::string::npos) << svg;
  }
}

TEST(PlotTest, DrawsTwoThousandChannelsAsBands) {
  std::string boxes;
  for (int i = 0; i < 2048; ++i) boxes += (i == 0 ? "" : ",") + std::string("[-2,-1,0,1,2]");
  const std::string svg = plot_svg(R"({"kind": "boxes", "title": "t", "boxes": [)" + boxes + "]}");
  EXPECT_EQ(xml_mistake(svg), "");
  EXPECT_LT(svg.size(), 150000u);
}

TEST(PlotTest, RefusesNamingTheKey) {
  const auto refusal = [](const char* figure) { return message_of([&] { plot_svg(figure); }); };
  EXPECT_EQ(refusal(R"({"kind": "pie", "title": "t"})"),
            "figure.kind cannot be 'pie'; it is one of: lines, histogram, boxes, bars");
  EXPECT_EQ(refusal(R"({"title": "t"})"), "figure.kind is missing");
  EXPECT_EQ(refusal("[]"), "figure must be an object");
  EXPECT_EQ(refusal(R"({"kind": "bars", "names": [], "values": []})"), "figure.title is missing");
  EXPECT_EQ(refusal(R"({"kind": "bars", "title": "t", "names": ["a"], "values": []})"),
            "figure.names must have one name per value, of which there are 0");
  EXPECT_EQ(refusal(R"({"kind": "bars", "title": "t", "names": ["a"], "values": ["x"]})"),
            "figure.values must be a list of numbers, nulls, \"inf\", \"-inf\" and \"nan\"");
  EXPECT_EQ(refusal(R"({"kind": "lines", "title": "t", "x": [1, 2], "series": [{"name": "s", "values": [1]}]})"),
            "figure.series[0].values must have as many values as x, which has 2");
  EXPECT_EQ(refusal(R"({"kind": "lines", "title": "t", "x": [], "series": [], "y_scale": "cubic"})"),
            "figure.y_scale cannot be 'cubic'; it is one of: linear, log");
  EXPECT_EQ(refusal(R"({"kind": "histogram", "title": "t", "low": 0, "step": 0, "series": []})"),
            "figure.step must be above 0");
  EXPECT_EQ(refusal(R"({"kind": "boxes", "title": "t", "boxes": [[1, 2]]})"),
            "figure.boxes must hold lists of five numbers");
  EXPECT_EQ(refusal(R"({"kind": "boxes", "title": "t", "boxes": [], "colour": 1})"),
            "figure.colour is not known; known are: kind, title, subtitle, note, x_label, y_label, thresholds, boxes, "
            "names");
  EXPECT_TRUE(refusal("{").starts_with("figure: ")) << refusal("{");
  EXPECT_TRUE(refusal("{\"kind\": \"\xff\"}").starts_with("figure: "));
  EXPECT_TRUE(refusal(R"({"kind": "bars", "title": "t", "names": ["a"], "values": [1e999]})").starts_with("figure: "));
}

}  // namespace
}  // namespace twofold
