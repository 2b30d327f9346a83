#include "data/dumped_tensor.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/message_of.h"
#include "data/npy.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

using testing::message_of;

const ExpectedTensor kIntegers = {"t", {1, 2, 3}, DType::kInt8};

class DumpedTensor : public ::testing::Test {
 protected:
  std::filesystem::path npy(const Tensor& tensor) const {
    save_npy(folder_.path() / "t.npy", tensor);
    return folder_.path() / "t.npy";
  }
  std::filesystem::path raw(const std::string& bytes) const {
    std::ofstream(folder_.path() / "t.bin", std::ios::binary) << bytes;
    return folder_.path() / "t.bin";
  }
  std::string refusal(const std::filesystem::path& file, const ExpectedTensor& expected = kIntegers) const {
    const std::string message = message_of([&] { load_dumped_tensor(file, expected); });
    EXPECT_EQ(message.find(file.string() + ": "), 0U) << message;
    return message.substr(std::min(message.size(), file.string().size() + 2));
  }

  const TemporaryFolder folder_;
};

template <typename T>
Tensor count(const Shape& shape) {
  std::vector<T> values;
  for (int64_t i = 0; i < num_elements(shape); ++i) values.push_back(static_cast<T>(i - 2));
  return Tensor::from<T>(shape, values);
}

TEST_F(DumpedTensor, ArraysAreIntegersOrReal) {
  EXPECT_EQ(load_dumped_tensor(npy(count<int8_t>({1, 2, 3})), kIntegers).data<int8_t>()[5], 3);
  EXPECT_EQ(load_dumped_tensor(npy(count<float>({1, 2, 3})), kIntegers).data<float>()[0], -2);
  EXPECT_EQ(load_dumped_tensor(npy(count<double>({1, 2, 3})), kIntegers).data<double>()[5], 3);
  EXPECT_EQ(refusal(npy(count<uint8_t>({1, 2, 3}))), "its elements are uint8, and the model has tensor 't' as int8");
}

TEST_F(DumpedTensor, ArraysAreListsOrHaveTheShapeUpToOnes) {
  for (const Shape& shape : {Shape{6}, Shape{2, 3}, Shape{2, 1, 3, 1}}) {
    EXPECT_EQ(load_dumped_tensor(npy(count<int8_t>(shape)), kIntegers).shape(), shape);
  }
  for (const Shape& shape : {Shape{5}, Shape{3, 2}, Shape{6, 1}, Shape{}, Shape{0, 2, 3}}) {
    EXPECT_EQ(refusal(npy(count<int8_t>(shape))),
              "its shape is " + to_string(shape) + ", and tensor 't' has shape [1,2,3]");
  }
}

TEST_F(DumpedTensor, BytesAreElementsOfTheTypeThatHasTheirSize) {
  const Tensor integers = load_dumped_tensor(raw("\1\2\3\4\5\xff"), kIntegers);
  EXPECT_EQ(integers.shape(), kIntegers.shape);
  EXPECT_EQ(integers.data<int8_t>()[5], -1);
  const Tensor real = load_dumped_tensor(raw(std::string(20, '\0') + std::string("\0\0\x80\x3f", 4)), kIntegers);
  EXPECT_EQ(real.data<float>()[5], 1);
  EXPECT_EQ(refusal(raw("\1\2\3\4\5")), "5 bytes, and the 6 elements of tensor 't' are 6 (int8) or 24 (float32)");
  EXPECT_EQ(refusal(raw(""), {"t", {2}, DType::kFloat32}), "0 bytes, and the 2 elements of tensor 't' are 8 (float32)");
}

TEST_F(DumpedTensor, MayBeEmpty) {
  const ExpectedTensor none = {"t", {0, 3}, DType::kInt16};
  EXPECT_EQ(load_dumped_tensor(raw(""), none).dtype(), DType::kInt16);
  EXPECT_EQ(load_dumped_tensor(npy(count<float>({0, 3})), none).size(), 0);
}

}  // namespace
}  // namespace twofold
