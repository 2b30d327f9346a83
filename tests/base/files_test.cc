// Files that are there whole or not at all, whatever stands at their path.
#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/message_of.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

class Files : public ::testing::Test {
 protected:
  std::filesystem::path at(const std::string& name) const { return folder_.path() / name; }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      result.push_back(entry.path().filename().string());
    }
    std::ranges::sort(result);
    return result;
  }

  const TemporaryFolder folder_;
};

TEST_F(Files, GetTheModeThatTheProcessGivesFiles) {
  const mode_t before = ::umask(0077);
  write_file(at("private"), "a");
  ::umask(0002);
  write_file(at("shared"), "a");
  ::umask(before);
  EXPECT_EQ(mode_of(at("private")), 0600U);
  EXPECT_EQ(mode_of(at("shared")), 0664U);
}

TEST_F(Files, KeepTheModeOfWhatTheyReplace) {
  write_file(at("a"), "old");
  ASSERT_EQ(::chmod(at("a").c_str(), 0640), 0);
  write_file(at("a"), "new");
  EXPECT_EQ(mode_of(at("a")), 0640U);
  EXPECT_EQ(read_text_file(at("a")), "new");
}

TEST_F(Files, AreWrittenWhereLinksLead) {
  std::filesystem::create_directory(at("sub"));
  write_file(at("sub/real"), "old");
  std::filesystem::create_symlink("sub/real", at("link"));
  std::filesystem::create_symlink("link", at("link of a link"));
  write_file(at("link of a link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(at("link")) && std::filesystem::is_symlink(at("link of a link")));
  EXPECT_EQ(read_text_file(at("sub/real")), "new");
  std::filesystem::create_symlink("sub/none", at("dangling"));
  write_file(at("dangling"), "made");
  EXPECT_EQ(read_text_file(at("sub/none")), "made");
  std::filesystem::create_symlink("circle", at("circle"));
  EXPECT_NE(message_of([&] { write_file(at("circle"), "a"); }).find("symbolic links"), std::string::npos);
}

TEST_F(Files, ThatArePipesAreWrittenThrough) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] {
    std::array<char, 16> buffer;
    const int descriptor = ::open(at("pipe").c_str(), O_RDONLY);
    for (ssize_t n; (n = ::read(descriptor, buffer.data(), buffer.size())) > 0;) {
      got.append(buffer.data(), static_cast<size_t>(n));
    }
    ::close(descriptor);
  });
  write_file(at("pipe"), "a text of more than sixteen bytes");
  reader.join();
  EXPECT_EQ(got, "a text of more than sixteen bytes");
  EXPECT_TRUE(std::filesystem::is_fifo(at("pipe")));
  EXPECT_EQ(names(), std::vector<std::string>{"pipe"});
}

TEST_F(Files, ThatAreDevicesAreWrittenThrough) {
  if (::mknod(at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) GTEST_SKIP() << "only root makes devices";
  const int descriptor = ::open(at("null").c_str(), O_WRONLY);
  if (descriptor < 0) GTEST_SKIP() << "no devices are allowed here";
  ::close(descriptor);
  write_file(at("null"), "a");
  EXPECT_TRUE(std::filesystem::is_character_file(at("null")));
}

TEST_F(Files, MayBeDescriptors) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  write_file("/dev/fd/" + std::to_string(pipe[1]), "abc");
  write_file("/proc/self/fd/" + std::to_string(pipe[1]), "de");
  ::close(pipe[1]);
  std::array<char, 16> buffer;
  EXPECT_EQ(::read(pipe[0], buffer.data(), buffer.size()), 5);
  EXPECT_EQ(std::string(buffer.data(), 5), "abcde");
  EXPECT_NE(message_of([&] { check_writable("/dev/fd/" + std::to_string(pipe[0])); }).find("not open for writing"),
            std::string::npos);
  ::close(pipe[0]);
}

TEST_F(Files, LeaveNothingBehindWithoutCommit) {
  {
    AtomicFile file(at("a"));
    file.write("half", 4);
  }
  EXPECT_TRUE(names().empty());
  EXPECT_NE(message_of([] { write_file("", "a"); }).find("is empty"), std::string::npos);
  EXPECT_NE(message_of([&] { write_file(at("none/a"), "a"); }).find("there is no folder"), std::string::npos);
  EXPECT_NE(message_of([&] { write_file(folder_.path(), "a"); }).find("it is a folder"), std::string::npos);
}

// Where the file system knows no files without a name.
TEST_F(Files, WithANameBeforeTheirTime) {
  const auto write = [&](TemporaryFile& file) { return ::write(file.descriptor(), "new", 3) == 3; };
  {
    TemporaryFile dropped(folder_.path(), TemporaryFile::Name::kAlways);
    ASSERT_TRUE(write(dropped));
    EXPECT_EQ(names().size(), 1U);
  }
  EXPECT_TRUE(names().empty());
  write_file(at("a"), "old");
  for (const auto name : {TemporaryFile::Name::kAlways, TemporaryFile::Name::kIfNeeded}) {
    TemporaryFile file(folder_.path(), name);
    ASSERT_TRUE(write(file));
    EXPECT_TRUE(file.publish(at("a")) && file.close());
    EXPECT_EQ(read_text_file(at("a")), "new");
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
  }
}

TEST_F(Files, ThatArePipesAreNotWaitedForToBeRead) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_NE(message_of([&] { MappedFile::open(at("pipe")); }).find("it is a pipe"), std::string::npos);
}

}  // namespace
}  // namespace twofold
