#include "onnx/tensor_reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "onnx/expect_error.h"
#include "onnx/import.h"
#include "onnx/model_builder.h"

namespace twofold::testing {
namespace {

onnx::TensorProto tensor_of(int data_type, const std::vector<int64_t>& dims) {
  onnx::TensorProto proto;
  proto.set_data_type(data_type);
  for (int64_t dim : dims) proto.add_dims(dim);
  return proto;
}

template <typename T>
std::vector<T> values_of(const Tensor& tensor) {
  const std::span<const T> data = tensor.data<T>();
  return {data.begin(), data.end()};
}

TEST(TensorReader, TypedFields) {
  TensorReader reader({});
  onnx::TensorProto floats = tensor_of(onnx::TensorProto::FLOAT, {2});
  floats.add_float_data(-1.5F);
  floats.add_float_data(2);
  EXPECT_EQ(values_of<float>(reader.read(floats, "t")), (std::vector<float>{-1.5F, 2}));

  onnx::TensorProto int8 = tensor_of(onnx::TensorProto::INT8, {3});
  for (int v : {-128, 0, 127}) int8.add_int32_data(v);
  EXPECT_EQ(values_of<int8_t>(reader.read(int8, "t")), (std::vector<int8_t>{-128, 0, 127}));

  onnx::TensorProto uint16 = tensor_of(onnx::TensorProto::UINT16, {1});
  uint16.add_int32_data(65535);
  EXPECT_EQ(values_of<uint16_t>(reader.read(uint16, "t")), std::vector<uint16_t>{65535});

  onnx::TensorProto half = tensor_of(onnx::TensorProto::FLOAT16, {1});
  half.add_int32_data(0x3c00);
  EXPECT_EQ(values_of<uint16_t>(reader.read(half, "t")), std::vector<uint16_t>{0x3c00});

  onnx::TensorProto truth = tensor_of(onnx::TensorProto::BOOL, {3});
  for (int v : {0, 1, 7}) truth.add_int32_data(v);
  EXPECT_EQ(values_of<uint8_t>(reader.read(truth, "t")), (std::vector<uint8_t>{0, 1, 1}));

  onnx::TensorProto uint32 = tensor_of(onnx::TensorProto::UINT32, {});
  uint32.add_uint64_data(4294967295U);
  EXPECT_EQ(values_of<uint32_t>(reader.read(uint32, "t")), std::vector<uint32_t>{4294967295U});

  onnx::TensorProto doubles = tensor_of(onnx::TensorProto::DOUBLE, {1});
  doubles.add_double_data(0.1);
  EXPECT_EQ(values_of<double>(reader.read(doubles, "t")), std::vector<double>{0.1});

  onnx::TensorProto empty = tensor_of(onnx::TensorProto::INT64, {0, 3});
  EXPECT_EQ(reader.read(empty, "t").shape(), (Shape{0, 3}));
}

TEST(TensorReader, RawDataIsNotCopied) {
  onnx::TensorProto proto = tensor_of(onnx::TensorProto::INT16, {1000});
  const std::vector<int16_t> values(1000, -7);
  proto.set_raw_data(values.data(), 2000);
  const void* there = proto.raw_data().data();
  const Tensor tensor = TensorReader({}).read(proto, "t");
  EXPECT_EQ(tensor.bytes(), there);
  EXPECT_EQ(values_of<int16_t>(tensor), values);
}

TEST(TensorReader, RefusesSizesThatDisagree) {
  TensorReader reader({});
  const auto refuse = [&](onnx::TensorProto proto, std::initializer_list<const char*> words) {
    expect_error(ErrorCode::kInvalidModel, words, [&] { reader.read(proto, "initializer 'w'"); });
  };
  onnx::TensorProto raw = tensor_of(onnx::TensorProto::FLOAT, {2});
  raw.set_raw_data("1234567");
  refuse(raw, {"'w'", "8 bytes", "7"});
  refuse(tensor_of(onnx::TensorProto::FLOAT, {1}), {"'w'", "1 values", "0"});
  refuse(tensor_of(onnx::TensorProto::FLOAT, {1LL << 40}), {"'w'"});
  refuse(tensor_of(onnx::TensorProto::FLOAT, {1LL << 32, 1LL << 32}), {"'w'", "too many"});
  refuse(tensor_of(onnx::TensorProto::FLOAT, {0, 1LL << 32, 1LL << 32}), {"'w'", "too many"});
  refuse(tensor_of(onnx::TensorProto::FLOAT, {-1}), {"'w'", "-1"});
  onnx::TensorProto range = tensor_of(onnx::TensorProto::INT8, {1});
  range.add_int32_data(128);
  refuse(range, {"'w'", "128", "int8"});
}

TEST(TensorReader, RefusesForeignTypesByName) {
  TensorReader reader({});
  for (const auto& [type, name] : {std::pair(8, "string"), std::pair(17, "float8e4m3fn"), std::pair(22, "int4"),
                                   std::pair(99, "99"), std::pair(0, "undefined")}) {
    onnx::TensorProto proto = tensor_of(type, {1});
    expect_error(ErrorCode::kUnsupported, {"'w'", name}, [&] { reader.read(proto, "initializer 'w'"); });
  }
}

TEST(TensorReader, SparseBecomesDense) {
  onnx::SparseTensorProto proto;
  proto.add_dims(2);
  proto.add_dims(3);
  *proto.mutable_values() = tensor_of(onnx::TensorProto::FLOAT, {2});
  proto.mutable_values()->add_float_data(5);
  proto.mutable_values()->add_float_data(-6);
  *proto.mutable_indices() = tensor_of(onnx::TensorProto::INT64, {2});
  proto.mutable_indices()->add_int64_data(1);
  proto.mutable_indices()->add_int64_data(5);
  const onnx::SparseTensorProto good = proto;
  EXPECT_EQ(values_of<float>(TensorReader({}).read_sparse(proto, "t")), (std::vector<float>{0, 5, 0, 0, 0, -6}));

  onnx::SparseTensorProto pairs = good;
  *pairs.mutable_indices() = tensor_of(onnx::TensorProto::INT64, {2, 2});
  for (int64_t i : {0, 2, 1, 0}) pairs.mutable_indices()->add_int64_data(i);
  EXPECT_EQ(values_of<float>(TensorReader({}).read_sparse(pairs, "t")), (std::vector<float>{0, 0, 5, -6, 0, 0}));

  onnx::SparseTensorProto outside = good;
  outside.mutable_indices()->set_int64_data(1, 6);
  expect_error(ErrorCode::kInvalidModel, {"'w'", "[2,3]"},
               [&] { TensorReader({}).read_sparse(outside, "initializer 'w'"); });
  onnx::SparseTensorProto huge = good;
  huge.set_dims(0, 1LL << 40);
  expect_error(ErrorCode::kResourceExhausted, {"'w'"}, [&] { TensorReader({}).read_sparse(huge, "initializer 'w'"); });
}

class ExternalData : public ::testing::Test {
 protected:
  ExternalData() {
    const std::vector<float> values = {1, 2, 3, 4};
    std::ofstream(folder_ / "weights.bin", std::ios::binary).write(reinterpret_cast<const char*>(values.data()), 16);
  }

  Tensor read(const std::map<std::string, std::string>& entries, std::vector<int64_t> dims = {2}) {
    onnx::TensorProto proto = tensor_of(onnx::TensorProto::FLOAT, dims);
    proto.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      onnx::StringStringEntryProto& entry = *proto.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    return TensorReader({folder_.path()}).read(proto, "initializer 'w'");
  }

  void refuse(ErrorCode code, std::initializer_list<const char*> words,
              const std::map<std::string, std::string>& entries) {
    expect_error(code, words, [&] { read(entries); });
  }

  TemporaryFolder folder_;
};

TEST_F(ExternalData, IsMapped) {
  EXPECT_EQ(values_of<float>(read({{"location", "weights.bin"}})), (std::vector<float>{1, 2}));
  EXPECT_EQ(values_of<float>(read({{"location", "weights.bin"}, {"offset", "8"}, {"length", "8"}})),
            (std::vector<float>{3, 4}));
  EXPECT_EQ(read({{"location", "weights.bin"}, {"offset", "1"}}).size(), 2);  // not aligned: copied
}

TEST_F(ExternalData, RefusesWhatIsNotInTheFile) {
  refuse(ErrorCode::kInvalidModel, {"'w'", "weights.bin", "12"}, {{"location", "weights.bin"}, {"offset", "12"}});
  refuse(ErrorCode::kInvalidModel, {"'w'"}, {{"location", "weights.bin"}, {"offset", "9223372036854775807"}});
  refuse(ErrorCode::kInvalidModel, {"'w'", "-4"}, {{"location", "weights.bin"}, {"offset", "-4"}});
  refuse(ErrorCode::kInvalidModel, {"'w'", "8x"}, {{"location", "weights.bin"}, {"offset", "8x"}});
  refuse(ErrorCode::kInvalidModel, {"'w'", "4"}, {{"location", "weights.bin"}, {"length", "4"}});
  refuse(ErrorCode::kNotFound, {"'w'", "missing.bin"}, {{"location", "missing.bin"}});
}

TEST_F(ExternalData, RefusesPathsOutsideTheFolder) {
  std::filesystem::create_directory(folder_ / "inside");
  std::filesystem::create_symlink("/dev/null", folder_ / "link.bin");
  refuse(ErrorCode::kInvalidModel, {"'w'", "/etc/passwd"}, {{"location", "/etc/passwd"}});
  refuse(ErrorCode::kInvalidModel, {"'w'", "../"}, {{"location", "../weights.bin"}});
  refuse(ErrorCode::kInvalidModel, {"'w'", ".."}, {{"location", "inside/../weights.bin"}});
  refuse(ErrorCode::kInvalidModel, {"'w'", "link.bin"}, {{"location", "link.bin"}});
  refuse(ErrorCode::kInvalidModel, {"'w'"}, {{"location", ""}});
  refuse(ErrorCode::kInvalidModel, {"'w'"}, {});
}

TEST_F(ExternalData, NeedsAFolder) {
  ModelBuilder builder;
  onnx::TensorProto& proto = builder.tensor("w", onnx::TensorProto::FLOAT, {2});
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  onnx::StringStringEntryProto& entry = *proto.add_external_data();
  entry.set_key("location");
  entry.set_value("weights.bin");
  builder.output("w");
  EXPECT_EQ(builder.import(folder_.path()).outputs.size(), 1U);
  expect_error(ErrorCode::kInvalidArgument, {"model: ", "'w'", "folder"}, [&] { builder.import(); });
}

}  // namespace
}  // namespace twofold::testing
