// Names of tensors and nodes as names of files.
#include "base/file_names.h"

#include <gtest/gtest.h>

namespace twofold {
namespace {

TEST(FileNames, AreOfLettersDigitsDashesAndDots) {
  EXPECT_EQ(file_name("/layer.0/Conv-1:0"), "_layer.0_Conv-1_0");
  EXPECT_EQ(file_name("a b\tc\nd\\e\"f'g"), "a_b_c_d_e_f_g");
  EXPECT_EQ(file_name("Z9-.z"), "Z9-.z");
  EXPECT_EQ(file_name("\xc3\xa4"), "__");
}

TEST(FileNames, LeadOutOfNoFolderAndAreNotHidden) {
  EXPECT_EQ(file_name("../../etc/passwd"), "_._.._etc_passwd");
  EXPECT_EQ(file_name(".hidden"), "_hidden");
  EXPECT_EQ(file_name("."), "_");
  EXPECT_EQ(file_name(".."), "_.");
}

TEST(FileNames, AreNeitherEmptyNorLong) {
  EXPECT_EQ(file_name(""), "unnamed");
  EXPECT_EQ(file_name("", "input"), "input");
  EXPECT_EQ(file_name(std::string(300, 'a')), std::string(200, 'a'));
}

TEST(FolderNames, AreTheTensorsAsFarAsTheyCanBe) {
  EXPECT_EQ(folder_name("m:0"), "m:0");
  EXPECT_EQ(folder_name("m_0"), "m_0");
  EXPECT_EQ(folder_name("/head/Gemm 1"), "%2Fhead%2FGemm 1");
  EXPECT_EQ(folder_name("50%2F"), "50%252F");
  EXPECT_EQ(folder_name(".."), "%2E.");
  EXPECT_EQ(folder_name("a.b"), "a.b");
  EXPECT_EQ(folder_name("a\tb\x7f"), "a%09b%7F");
  EXPECT_EQ(folder_name("\xc3\xa4"), "\xc3\xa4");
  EXPECT_EQ(folder_name(""), "%");
}

TEST(FolderNames, AreFoundAgainHoweverLong) {
  const std::string a = folder_name(std::string(5000, '/')), b = folder_name(std::string(5001, '/'));
  EXPECT_LE(a.size(), 255U);
  EXPECT_NE(a, b);
  EXPECT_EQ(a, folder_name(std::string(5000, '/')));
  EXPECT_EQ(folder_name(std::string(200, 'a')), std::string(200, 'a'));
}

TEST(FileNames, AreEachGivenOnce) {
  FileNames names;
  EXPECT_EQ(names.next("a/b"), "a_b");
  EXPECT_EQ(names.next("a_b"), "a_b_");
  EXPECT_EQ(names.next("a_b_"), "a_b__");
  EXPECT_EQ(names.next("a:b"), "a_b___");
  EXPECT_EQ(names.next(""), "unnamed");
  EXPECT_EQ(names.next(""), "unnamed_");
  std::string longest(200, 'a');
  EXPECT_EQ(names.next(longest + "b"), longest);
  longest += "_";
  EXPECT_EQ(names.next(std::string(202, 'a')), longest);
}

}  // namespace
}  // namespace twofold
