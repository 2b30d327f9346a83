// Results that outlive the job that measured them.
#include "debug/results_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/files.h"
#include "base/message_of.h"
#include "data/temporary_folder.h"
#include "twofold/error.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

const ResultsFile::Subject kSubject = {{"model", "m1"}, {"plan", "p1"}};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Sensitivity two_samples(double first) {
  return Sensitivity({{{first, 1e-300, 0.1, 1.0 / 3, kInfinity, 5}}, {{-1, 2, 3, 4, -kInfinity, 6}}});
}

class ResultsFileTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  std::string refusal(const ResultsFile::Subject& subject = kSubject) const {
    return message_of([&] { const ResultsFile file(path_, subject, true); });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "results.jsonl";
};

TEST_F(ResultsFileTest, GivesBackTheNumbersToTheBit) {
  { ResultsFile(path_, kSubject, false).add("node:a \"quoted\"\n", two_samples(0.7)); }
  const ResultsFile again(path_, kSubject, true);
  ASSERT_NE(again.find("node:a \"quoted\"\n"), nullptr);
  EXPECT_EQ(*again.find("node:a \"quoted\"\n"), two_samples(0.7));
  EXPECT_EQ(again.find("node:b"), nullptr);
}

TEST_F(ResultsFileTest, HasAsManyNumbersAsThereAreSamplesAndOutputs) {
  { ResultsFile(path_, kSubject, false).add("a", two_samples(0.7)); }
  const ResultsFile again(path_, kSubject, true);
  again.check_counts(2, 1);
  for (const auto& [samples, outputs] : {std::pair(1, 1), std::pair(2, 2), std::pair(2, 0)}) {
    EXPECT_EQ(message_of([&] { again.check_counts(static_cast<size_t>(samples), static_cast<size_t>(outputs)); }),
              path_.string() + ": not a file of results, or damaged");
  }
}

TEST_F(ResultsFileTest, GoesOnBehindATornLine) {
  {
    ResultsFile file(path_, kSubject, false);
    file.add("a", two_samples(1));
    file.add("b", two_samples(2));
  }
  const std::string text = read_text_file(path_);
  const size_t second = text.rfind("{\"unit\"");
  for (size_t cut = second; cut < text.size(); ++cut) {
    write(text.substr(0, cut));
    {
      ResultsFile file(path_, kSubject, true);
      EXPECT_EQ(*file.find("a"), two_samples(1));
      EXPECT_EQ(file.find("b"), nullptr) << cut;
      file.add("b", two_samples(2));
    }
    EXPECT_EQ(read_text_file(path_), text) << cut;
  }
}

TEST_F(ResultsFileTest, BeginsAnewUnlessItIsToGoOn) {
  { ResultsFile(path_, kSubject, true).add("a", two_samples(1)); }
  { EXPECT_EQ(ResultsFile(path_, kSubject, false).find("a"), nullptr); }
  EXPECT_EQ(ResultsFile(path_, kSubject, true).find("a"), nullptr);
}

TEST_F(ResultsFileTest, RefusesResultsOfSomethingElse) {
  { const ResultsFile file(path_, kSubject, false); }
  EXPECT_EQ(refusal({{"model", "m1"}, {"plan", "p2"}}),
            path_.string() +
                ": these results are of another plan (p1; this one is p2): take another folder, or do not resume");
  for (const char* text : {"", "\n", "not json\n", "{\"model\":\"m1\"}\n", "[1]\n",
                           "{\"twofold_sensitivity\":1,\"model\":\"m1\",\"plan\":\"p1\"}\n{\"unit\":3}\n",
                           "{\"twofold_sensitivity\":1,\"model\":\"m1\",\"plan\":\"p1\"}\n"
                           "{\"unit\":\"a\",\"samples\":[[[1,2,3,4,5,\"six\"]]]}\n"}) {
    write(text);
    EXPECT_EQ(refusal(), path_.string() + ": not a file of results, or damaged") << text;
  }
  write("{\"twofold_sensitivity\":2}\n");
  EXPECT_NE(refusal().find("are of version 2"), std::string::npos);
}

TEST_F(ResultsFileTest, SaysThatItCannotBeWritten) {
  EXPECT_NE(message_of([&] { const ResultsFile file(folder_.path() / "none" / "r", kSubject, false); }).find("none/r"),
            std::string::npos);
  // A disk that is full.
  EXPECT_EQ(message_of([] { const ResultsFile file("/dev/full", kSubject, false); }),
            "cannot write /dev/full: No space left on device");
}

}  // namespace
}  // namespace twofold
