// No output is an input, and no two outputs are one.
#include "base/job_outputs.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/message_of.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

class Outputs : public ::testing::Test {
 protected:
  Outputs() { write_file(at("there"), "text"); }
  std::filesystem::path at(const std::string& name) const { return folder_.path() / name; }
  static void expect_twice(const std::filesystem::path& a, const std::filesystem::path& b) {
    const std::string message = message_of([&] { const JobOutputs outputs({a, b}); });
    EXPECT_NE(message.find("written twice"), std::string::npos) << message;
  }

  const TemporaryFolder folder_;
};

TEST_F(Outputs, AreNotTwoInOneFile) {
  std::filesystem::create_symlink("there", at("link"));
  std::filesystem::create_hard_link(at("there"), at("twin"));
  std::filesystem::create_symlink("new", at("link to new"));
  expect_twice(at("there"), at("there"));
  expect_twice(at("there"), at("link"));
  expect_twice(at("twin"), at("there"));
  expect_twice(at("new"), at("new"));
  expect_twice(at("new"), at("link to new"));
  expect_twice(at("new"), folder_.path() / "." / "new");
  expect_twice("-", "/dev/stdout");
  const JobOutputs fine({at("new"), at("newer"), at("there"), "/dev/null", "/dev/null", "", ""});
}

TEST_F(Outputs, AreThoseOfTheCallerToo) {
  const JobOutputs outer({at("new")});
  {
    JobOutputs inner;
    EXPECT_NE(message_of([&] { inner.add_file(at("new")); }), "nothing thrown");
    inner.add_file(at("other"));
  }
  const JobOutputs again({at("other")});
}

TEST_F(Outputs, AreNotRead) {
  EXPECT_EQ(read_text_file(at("there")), "text");
  {
    const JobOutputs outputs({at("there")});
    const std::string message = message_of([&] { read_text_file(at("there")); });
    EXPECT_NE(message.find("is read, and it would be written"), std::string::npos) << message;
  }
  EXPECT_EQ(read_text_file(at("there")), "text");
}

TEST_F(Outputs, InAFolderAreNotReadEither) {
  std::filesystem::create_directory(at("sub"));
  write_file(at("sub/a"), "text");
  JobOutputs outputs;
  outputs.add_folder(at("sub"));
  outputs.add_folder(at("not there"));
  EXPECT_NE(message_of([&] { check_not_output(at("sub/a")); }), "nothing thrown");
  check_not_output(at("there"));
  check_not_output(at("sub"));
}

// A job has more files than it names: those of a folder, and what its caller writes then.
TEST_F(Outputs, AreWrittenOnce) {
  const JobOutputs outputs({at("new"), at("there")});
  for (const char* name : {"new", "there"}) {
    write_file(at(name), "first");
    const std::string message = message_of([&] { write_file(at(name), "second"); });
    EXPECT_NE(message.find("was written already"), std::string::npos) << message;
  }
  write_file(at("other"), "first");
  write_file(at("other"), "second");
}

// One that throws leaves the thread as it was.
TEST_F(Outputs, EndWithTheirObject) {
  expect_twice(at("there"), at("there"));
  EXPECT_EQ(read_text_file(at("there")), "text");
}

}  // namespace
}  // namespace twofold
