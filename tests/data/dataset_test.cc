#include "data/dataset.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/message_of.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

namespace fs = std::filesystem;
using testing::message_of;

InputSpec spec(const std::string& name, const std::vector<int64_t>& dims, DType dtype = DType::kFloat32) {
  std::vector<Dim> shape;
  for (int64_t dim : dims) shape.push_back({dim, ""});
  return {name, {dtype, shape}};
}

// 0, 1, 2, ... from `first` on.
Tensor counting(const Shape& shape, float first = 0) {
  Tensor tensor(DType::kFloat32, shape);
  for (float& v : tensor.mutable_data<float>()) v = first++;
  return tensor;
}

void write_npz(const fs::path& path, const std::map<std::string, Tensor>& arrays, zip_int32_t method) {
  const TemporaryFolder folder;
  std::map<std::string, std::string> files;
  for (const auto& [name, tensor] : arrays) {
    save_npy(folder.path() / "t.npy", tensor);
    files[name + ".npy"] = read_text_file(folder.path() / "t.npy");
  }
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const auto& [name, content] : files) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    ASSERT_EQ(zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0), 0);
  }
  ASSERT_EQ(zip_close(archive), 0);
}

// Without the wait for the disk that write_file ends with.
void overwrite(const fs::path& path, const std::string& content) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << content;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::ranges::equal(a.data<float>(), b.data<float>());
}

TEST(Dataset, OneFolderPerInput) {
  const TemporaryFolder folder;
  for (const std::string name : {"a", "b"}) {
    fs::create_directory(folder.path() / name);
    for (int i = 0; i < 3; ++i) {
      save_npy(folder.path() / name / ("s" + std::to_string(i) + ".npy"),
               counting({1, 2}, static_cast<float>(10 * i + (name == "b" ? 100 : 0))));
    }
  }
  const std::vector<InputSpec> inputs = {spec("b", {-1, 2}), spec("a", {1, 2})};
  const auto data = open_dataset(folder.path(), inputs);
  ASSERT_EQ(data->size(), 3);
  EXPECT_TRUE(equal(data->sample(2)[0], counting({1, 2}, 120)));
  EXPECT_TRUE(equal(data->sample(2)[1], counting({1, 2}, 20)));
  fs::remove(folder.path() / "a" / "s1.npy");
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path(), inputs); }),
                  "has 3 samples for input 'b', but 2 for input 'a'"));
  fs::remove_all(folder.path() / "a");
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path(), inputs); }), "input 'a' has no .npy files in"));
}

TEST(Dataset, FilesOfAModelWithOneInput) {
  const TemporaryFolder folder;
  save_npy(folder.path() / "1.npy", counting({1, 3}, 5));
  save_npy(folder.path() / "0.npy", counting({1, 3}));
  const auto data = open_dataset(folder.path(), {spec("x", {1, 3})});
  ASSERT_EQ(data->size(), 2);
  EXPECT_TRUE(equal(data->sample(1)[0], counting({1, 3}, 5)));
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path(), {spec("x", {3}), spec("y", {3})}); }), "has 2 inputs"));
}

TEST(Dataset, OneArchivePerSample) {
  const TemporaryFolder folder;
  for (int i = 0; i < 2; ++i) {
    write_npz(folder.path() / (std::to_string(i) + ".npz"),
              {{"x", counting({2}, static_cast<float>(i))}, {"a/b:0", counting({1}, 7)}, {"label", counting({9})}},
              i == 0 ? ZIP_CM_STORE : ZIP_CM_DEFLATE);
  }
  const auto data = open_dataset(folder.path(), {spec("x", {2}), spec("a/b:0", {1})});
  ASSERT_EQ(data->size(), 2);
  EXPECT_TRUE(equal(data->sample(1)[0], counting({2}, 1)));
  EXPECT_TRUE(equal(data->sample(0)[1], counting({1}, 7)));
  const auto other = open_dataset(folder.path(), {spec("y", {2})});
  EXPECT_TRUE(has(message_of([&] { other->sample(0); }), "has no array for input 'y'; it has: a/b:0, label, x"));
}

TEST(Dataset, FirstAxisOfAnArchiveEnumeratesSamples) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "all.npz";
  for (zip_int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    write_npz(path, {{"x", counting({4, 1, 2, 3})}, {"y", counting({4, 3})}}, method);
    const auto data = open_dataset(path, {spec("x", {1, 2, 3}), spec("y", {1, 3})});
    ASSERT_EQ(data->size(), 4);
    for (int64_t i : {3, 0, 2}) {
      EXPECT_TRUE(equal(data->sample(i)[0], counting({1, 2, 3}, static_cast<float>(6 * i))));
      EXPECT_TRUE(equal(data->sample(i)[1], counting({1, 3}, static_cast<float>(3 * i))));
    }
  }
  // A fixed batch is one sample; a free one is cut.
  EXPECT_EQ(open_dataset(path, {spec("y", {4, 3})})->size(), 1);
  EXPECT_EQ(open_dataset(path, {spec("y", {-1, 3})})->size(), 4);
  EXPECT_EQ(open_dataset(path, {spec("y", {3})})->sample(1)[0].shape(), Shape{3});
  EXPECT_TRUE(has(message_of([&] { open_dataset(path, {spec("x", {3})}); }), "stack the samples along a first axis"));
  write_npz(path, {{"x", counting({4, 2})}, {"y", counting({5, 3})}}, ZIP_CM_STORE);
  EXPECT_TRUE(has(message_of([&] {
                    open_dataset(path, {spec("x", {2}), spec("y", {3})});
                  }),
                  "has 4 samples for input 'x', but 5 for input 'y'"));
}

TEST(Dataset, OneArrayFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "all.npy";
  save_npy(path, counting({3, 1, 2}));
  const auto data = open_dataset(path, {spec("x", {1, 1, 2})});
  ASSERT_EQ(data->size(), 3);
  EXPECT_TRUE(equal(data->sample(2)[0], counting({1, 1, 2}, 4)));
}

TEST(Dataset, LargeArraysAreReadSampleBySample) {
  const TemporaryFolder folder;
  const int64_t row = 1 << 20;
  Tensor large(DType::kFloat32, {17, row});  // 68 MiB
  std::ranges::fill(large.mutable_data<float>(), 0.0F);
  for (int64_t i = 0; i < 17; ++i)
    large.mutable_data<float>()[static_cast<size_t>(i * row + i)] = static_cast<float>(i);
  save_npy(folder.path() / "x.npy", large);
  write_npz(folder.path() / "stored.npz", {{"x", large}}, ZIP_CM_STORE);
  write_npz(folder.path() / "deflated.npz", {{"x", large}}, ZIP_CM_DEFLATE);
  for (const char* name : {"x.npy", "stored.npz", "deflated.npz"}) {
    const auto data = open_dataset(folder.path() / name, {spec("x", {1, row})});
    for (int64_t i : {3, 4, 16, 2}) {
      const Tensor sample = data->sample(i)[0];
      EXPECT_EQ(sample.data<float>()[static_cast<size_t>(i)], static_cast<float>(i)) << name;
      EXPECT_EQ(sample.data<float>()[static_cast<size_t>(i + 1)], 0.0F) << name;
    }
  }
}

TEST(Dataset, NumbersBecomeFloat32WhereTheInputIs) {
  const std::vector<uint8_t> pixels = {0, 128, 255};
  const std::vector<double> doubles = {0.5, -1, 3};
  std::vector<uint16_t> halves = {0x3e00, 0xfbff, 0x0001};  // 1.5, -65504, 2^-24
  Tensor half(DType::kFloat16, {3});
  std::ranges::copy(halves, half.mutable_data<uint16_t>().begin());
  const auto data = make_dataset({{Tensor::from<uint8_t>({3}, pixels)}, {Tensor::from<double>({3}, doubles)}, {half}},
                                 {spec("x", {3})});
  EXPECT_TRUE(std::ranges::equal(data->sample(0)[0].data<float>(), std::vector<float>{0, 128, 255}));
  EXPECT_TRUE(std::ranges::equal(data->sample(1)[0].data<float>(), std::vector<float>{0.5F, -1, 3}));
  EXPECT_TRUE(std::ranges::equal(data->sample(2)[0].data<float>(), std::vector<float>{1.5F, -65504, 0x1p-24F}));
  const auto ids = make_dataset({{Tensor::from<double>({3}, doubles)}}, {spec("ids", {3}, DType::kInt64)});
  EXPECT_EQ(message_of([&] { ids->sample(0); }),
            "sample 0: input 'ids' expects int64 of shape [3], but the data are float64 of shape [3]");
}

TEST(Dataset, AppliesMeanAndScale) {
  // [1,3,2]
  const auto sample = [](Preprocess preprocess) {
    return make_dataset({{counting({1, 3, 2})}}, {spec("x", {1, 3, 2})}, {{{"x", std::move(preprocess)}}})
        ->sample(0)[0];
  };
  EXPECT_TRUE(std::ranges::equal(sample({{1}, {2}}).data<float>(), std::vector<float>{-2, 0, 2, 4, 6, 8}));
  EXPECT_TRUE(
      std::ranges::equal(sample({{0, 1, 2}, {1, 0.5F, -1}}).data<float>(), std::vector<float>{0, 1, 0.5F, 1, -2, -3}));
  EXPECT_TRUE(has(message_of([&] { sample({{1, 2}, {}}); }), "mean has 2 values, but the input has shape [1,3,2]"));
  EXPECT_TRUE(has(message_of([&] {
                    make_dataset({{counting({1})}}, {spec("x", {1})}, {{{"z", {{1}, {}}}}});
                  }),
                  "input 'z', which the model does not have"));
  // The given tensor stays as it is.
  const Tensor given = counting({1, 3, 2});
  make_dataset({{given}}, {spec("x", {1, 3, 2})}, {{{"x", {{1}, {2}}}}})->sample(0);
  EXPECT_TRUE(equal(given, counting({1, 3, 2})));
}

TEST(Dataset, BadSamplesAreNamed) {
  Tensor bad = counting({1, 3});
  bad.mutable_data<float>()[2] = NAN;
  const std::vector<double> huge = {1e300, 0, 0};
  const auto data = make_dataset({{counting({1, 3})}, {bad}, {counting({3, 1})}, {Tensor::from<double>({1, 3}, huge)}},
                                 {spec("x", {1, 3})});
  EXPECT_EQ(message_of([&] { data->sample(0); }), "nothing thrown");
  EXPECT_EQ(message_of([&] { data->sample(1); }), "sample 1: the data for input 'x' hold NaN or infinity");
  EXPECT_EQ(message_of([&] { data->sample(2); }),
            "sample 2: input 'x' expects float32 of shape [1,3], but the data are float32 of shape [3,1]");
  EXPECT_EQ(message_of([&] { data->sample(3); }), "sample 3: the data for input 'x' hold NaN or infinity");
  const auto empty = make_dataset({{counting({0, 3})}}, {spec("x", {-1, 3})});
  EXPECT_TRUE(has(message_of([&] { empty->sample(0); }), "[0,3], which holds nothing"));
  EXPECT_EQ(message_of([&] { make_dataset({}, {spec("x", {1})}); }), "the data hold no samples");
  EXPECT_TRUE(has(message_of([&] { make_dataset({{}}, {spec("x", {1})}); }), "sample 0 has 0 tensors"));
}

TEST(Dataset, MissingOrForeignDataThrow) {
  const TemporaryFolder folder;
  const std::vector<InputSpec> inputs = {spec("x", {1})};
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path() / "nowhere", inputs); }), "there is no data at"));
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path(), inputs); }), "holds no data"));
  write_file(folder.path() / "x.txt", "text");
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path() / "x.txt", inputs); }), "neither a folder nor"));
  write_file(folder.path() / "x.npz", "not a zip archive");
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path() / "x.npz", inputs); }), "is not an .npz archive"));
  write_file(folder.path() / "e.npz", "");
  EXPECT_THROW(open_dataset(folder.path() / "e.npz", inputs), Error);
  save_npy(folder.path() / "none.npy", counting({0, 1}));
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path() / "none.npy", inputs); }), "holds no samples"));
}

TEST(Dataset, DamagedArchivesThrowAndNeverCrash) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.npz";
  for (zip_int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    write_npz(path, {{"x", counting({4, 30})}}, method);
    const std::string whole = read_text_file(path);
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
      overwrite(path, damaged);
      try {
        const auto data = open_dataset(path, {spec("x", {30})});
        for (int64_t s = 0; s < data->size(); ++s) data->sample(s);
      } catch (const Error&) {
      }
      overwrite(path, whole.substr(0, i));
      EXPECT_THROW(open_dataset(path, {spec("x", {30})}), Error) << i;
    }
  }
}

}  // namespace
}  // namespace twofold
