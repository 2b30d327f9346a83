#include "data/npy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/message_of.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

// An .npy file of version 1 with this header text and data.
std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  if (version > 1) file += std::string(2, '\0');
  return file + header + data;
}

std::string bytes_of(const std::vector<int16_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * 2};
}

Tensor parse(const std::string& file) {
  auto owner = std::make_shared<std::string>(file);
  return parse_npy(std::as_bytes(std::span(*owner)), owner, "f.npy");
}

std::string message_of(const std::string& file) {
  return testing::message_of([&] { parse(file); });
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Npy, ReadsWhatNumpyWrites) {
  const std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }      \n";
  for (char version : {1, 2, 3}) {
    const Tensor tensor = parse(npy(header, bytes_of({1, -2, 3, 4, 5, 6}), version));
    EXPECT_EQ(tensor.dtype(), DType::kInt16);
    EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
    EXPECT_TRUE(std::ranges::equal(tensor.data<int16_t>(), std::vector<int16_t>{1, -2, 3, 4, 5, 6}));
  }
}

TEST(Npy, ConvertsFortranOrderAndForeignBytes) {
  const std::string fortran = "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }\n";
  EXPECT_TRUE(std::ranges::equal(parse(npy(fortran, bytes_of({1, 4, 2, 5, 3, 6}))).data<int16_t>(),
                                 std::vector<int16_t>{1, 2, 3, 4, 5, 6}));
  const std::string big = "{'descr': '>i2', 'fortran_order': False, 'shape': (3,), }\n";
  EXPECT_TRUE(std::ranges::equal(parse(npy(big, bytes_of({0x0100, 0x0201, -1}))).data<int16_t>(),
                                 std::vector<int16_t>{1, 0x0102, -1}));
  const std::string both = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 1, 2), }\n";
  EXPECT_TRUE(std::ranges::equal(parse(npy(both, bytes_of({0x0100, 0x0300, 0x0200, 0x0400}))).data<int16_t>(),
                                 std::vector<int16_t>{1, 2, 3, 4}));
}

TEST(Npy, ReadsScalarsAndEmptyArrays) {
  const Tensor scalar = parse(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (), }", bytes_of({-7})));
  EXPECT_EQ(scalar.shape(), Shape{});
  EXPECT_EQ(scalar.data<int16_t>()[0], -7);
  for (const std::string order : {"True", "False"}) {
    const std::string header =
        "{'descr': '<i2', 'fortran_order': " + order + ", 'shape': (0, 4294967296, 4294967296), }";
    EXPECT_EQ(parse(npy(header, "")).shape(), (Shape{0, int64_t{1} << 32, int64_t{1} << 32}));
  }
}

TEST(Npy, EveryTypeSurvivesWritingAndReading) {
  const TemporaryFolder folder;
  for (DType dtype : {DType::kFloat32, DType::kUInt8, DType::kInt8, DType::kUInt16, DType::kInt16, DType::kInt32,
                      DType::kInt64, DType::kBool, DType::kFloat16, DType::kFloat64, DType::kUInt32, DType::kUInt64}) {
    Tensor tensor(dtype, {2, 1, 3});
    std::memset(tensor.mutable_bytes(), 1, tensor.byte_size());
    const auto path = folder.path() / "t.npy";
    save_npy(path, tensor);
    const Tensor read = load_npy(path);
    EXPECT_EQ(read.dtype(), dtype);
    EXPECT_EQ(read.shape(), tensor.shape());
    EXPECT_EQ(std::memcmp(read.bytes(), tensor.bytes(), tensor.byte_size()), 0);
  }
}

TEST(Npy, BFloat16IsWrittenAsFloat32) {
  const TemporaryFolder folder;
  Tensor tensor(DType::kBFloat16, {2});
  tensor.mutable_data<uint16_t>()[0] = 0x3fc0;  // 1.5
  tensor.mutable_data<uint16_t>()[1] = 0xc000;  // -2
  save_npy(folder.path() / "t.npy", tensor);
  const Tensor read = load_npy(folder.path() / "t.npy");
  EXPECT_TRUE(std::ranges::equal(read.data<float>(), std::vector<float>{1.5F, -2.0F}));
}

TEST(Npy, WritesTheBytesThatNumpyWould) {
  const TemporaryFolder folder;
  save_npy(folder.path() / "t.npy", Tensor::from<float>({2}, std::vector<float>{1, 2}));
  const std::string file = read_text_file(folder.path() / "t.npy");
  ASSERT_EQ(file.size(), 128u + 8u);
  EXPECT_EQ(file.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(file.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   ");
  EXPECT_EQ(file[127], '\n');
}

TEST(Npy, MappedFilesAreNotCopied) {
  const TemporaryFolder folder;
  save_npy(folder.path() / "t.npy", Tensor::from<float>({2}, std::vector<float>{1, 2}));
  const auto file = MappedFile::open(folder.path() / "t.npy");
  const Tensor tensor = parse_npy(file->bytes(), file, "t.npy");
  EXPECT_EQ(tensor.bytes(), file->bytes().data() + 128);
}

TEST(Npy, RefusesWhatItCannotRead) {
  const std::string data = bytes_of({1, 2, 3, 4});
  EXPECT_EQ(message_of(""), "'f.npy' is not an .npy file");
  EXPECT_EQ(message_of("PK\3\4 a zip archive"), "'f.npy' is not an .npy file");
  EXPECT_TRUE(has(message_of(npy("{}", data, 9)), "version 9"));
  EXPECT_TRUE(has(message_of(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (9,), }", data)),
                  "truncated: int16[9] takes 18 bytes, but 8 are there"));
  EXPECT_TRUE(has(message_of(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", data)), "'<c8'"));
  EXPECT_TRUE(has(message_of(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", data)), "'|O'"));
  EXPECT_TRUE(
      has(message_of(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", data)), "records"));
}

TEST(Npy, MaliciousHeadersThrow) {
  const std::string data = bytes_of({1, 2, 3, 4});
  const std::string prefix = "{'descr': '<i2', 'fortran_order': False, 'shape': ";
  for (const std::string shape : {"(-1,)", "(2", "(2,", "2", "(a,)", "(,)", "(1 2)", "(99999999999999999999,)",
                                  "(4611686018427387904, 4611686018427387904)", "(9223372036854775807,)", "(1.5,)",
                                  "(4294967296, 4294967296, 0)"}) {
    EXPECT_NE(message_of(npy(prefix + shape + ", }", data)), "nothing thrown") << shape;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "1, ";
  for (const std::string& header :
       {std::string(), std::string("{"), std::string("{}"), std::string("garbage"), prefix, prefix + "(4,)",
        prefix + "(" + deep + "), }", std::string("{'descr': '<i2', 'shape': (4,), }"),
        std::string("{'descr': '', 'fortran_order': False, 'shape': (4,), }"),
        std::string("{'descr': '<i2', 'fortran_order': 7, 'shape': (4,), }"),
        std::string("{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (4,), }"),
        std::string("{'descr': '<i2"), std::string("{'other': 3, }")}) {
    EXPECT_NE(message_of(npy(header, data)), "nothing thrown") << header;
  }
  const std::string whole = npy(prefix + "(4,), }", data);
  ASSERT_EQ(message_of(whole), "nothing thrown");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(message_of(whole.substr(0, size)), "nothing thrown") << size;
  }
}

TEST(Npy, UnwritablePathsThrow) {
  const TemporaryFolder folder;
  EXPECT_THROW(save_npy(folder.path() / "missing" / "t.npy", Tensor::scalar(1.0F)), Error);
  EXPECT_THROW(load_npy(folder.path() / "missing.npy"), Error);
}

}  // namespace
}  // namespace twofold
