#include "data/dataset.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/message_of.h"
#include "base/parallel_for.h"
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

// A dataset of samples in memory, each a list of tensors in the order of `inputs`.
std::unique_ptr<Dataset> in_memory(const std::vector<std::vector<Tensor>>& samples,
                                   const std::vector<InputSpec>& inputs, const DatasetOptions& options = {}) {
  std::vector<std::map<std::string, Tensor>> named(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    for (size_t k = 0; k < samples[i].size(); ++k) named[i][inputs[k].name] = samples[i][k];
  }
  return make_dataset(samples_in_memory(std::move(named)), inputs, options);
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
  const std::string a = (folder.path() / "a").string(), b = (folder.path() / "b").string();
  EXPECT_EQ(message_of([&] { open_dataset(folder.path(), inputs); }),
            fmt::format("input 'b' has 3 samples in '{}', but input 'a' has 2 in '{}'", b, a));
  fs::remove_all(folder.path() / "a");
  EXPECT_TRUE(has(message_of([&] { open_dataset(folder.path(), inputs); }), "input 'a' has no .npy files in"));
}

TEST(Dataset, FoldersOfAnyName) {
  const TemporaryFolder folder;
  for (const std::string name : {"first", "second"}) {
    fs::create_directory(folder.path() / name);
    save_npy(folder.path() / name / "0.npy", counting({1, name == "first" ? 2 : 3}));
  }
  const std::vector<fs::path> folders = {folder.path() / "second", folder.path() / "first"};
  const auto data = open_input_folders(folders, {spec("a", {1, 3}), spec("b", {1, 2})});
  EXPECT_EQ(data->size(), 1);
  EXPECT_TRUE(equal(data->sample(0)[0], counting({1, 3})));
  EXPECT_TRUE(equal(data->sample(0)[1], counting({1, 2})));
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
  const auto data =
      in_memory({{Tensor::from<uint8_t>({3}, pixels)}, {Tensor::from<double>({3}, doubles)}, {half}}, {spec("x", {3})});
  EXPECT_TRUE(std::ranges::equal(data->sample(0)[0].data<float>(), std::vector<float>{0, 128, 255}));
  EXPECT_TRUE(std::ranges::equal(data->sample(1)[0].data<float>(), std::vector<float>{0.5F, -1, 3}));
  EXPECT_TRUE(std::ranges::equal(data->sample(2)[0].data<float>(), std::vector<float>{1.5F, -65504, 0x1p-24F}));
  const auto ids = in_memory({{Tensor::from<double>({3}, doubles)}}, {spec("ids", {3}, DType::kInt64)});
  EXPECT_EQ(message_of([&] { ids->sample(0); }),
            "sample 0: input 'ids' expects int64 of shape [3], but the data are float64 of shape [3]");
}

TEST(Dataset, ASampleMayLackItsBatch) {
  const auto shape = [](const Shape& sample, const std::vector<int64_t>& input) {
    return in_memory({{counting(sample)}}, {spec("x", input)})->sample(0)[0].shape();
  };
  EXPECT_EQ(shape({2, 3}, {1, 2, 3}), (Shape{1, 2, 3}));
  EXPECT_EQ(shape({2, 3}, {-1, 2, 3}), (Shape{1, 2, 3}));
  EXPECT_EQ(shape({}, {1}), Shape{1});
  for (const auto& [sample, input] : std::vector<std::pair<Shape, std::vector<int64_t>>>{
           {{2, 3}, {4, 2, 3}}, {{3, 2}, {1, 2, 3}}, {{3}, {1, 1, 3}}}) {
    EXPECT_TRUE(
        has(message_of([&] { shape(sample, input); }), "but the data are float32 of shape " + to_string(sample)));
  }
  const TemporaryFolder folder;
  save_npy(folder.path() / "one.npy", counting({2, 3}));
  const auto data = open_dataset(folder.path() / "one.npy", {spec("x", {1, 2, 3})});
  EXPECT_EQ(data->size(), 1);
  EXPECT_TRUE(equal(data->sample(0)[0], counting({1, 2, 3})));
}

TEST(Dataset, OtherTypesBecomeTheInputsWhereThatLosesNothing) {
  const std::vector<int32_t> ids = {-1, 0, 7};
  const std::vector<int64_t> wide = {0, 1, int64_t{1} << 40};
  const auto sample = [](const Tensor& tensor, DType dtype) {
    return in_memory({{tensor}}, {spec("x", {3}, dtype)})->sample(0)[0];
  };
  const Tensor narrow = Tensor::from<int32_t>({3}, ids);
  EXPECT_TRUE(std::ranges::equal(sample(narrow, DType::kInt64).data<int64_t>(), std::vector<int64_t>{-1, 0, 7}));
  EXPECT_TRUE(std::ranges::equal(sample(narrow, DType::kInt8).data<int8_t>(), std::vector<int8_t>{-1, 0, 7}));
  EXPECT_TRUE(std::ranges::equal(sample(narrow, DType::kFloat64).data<double>(), std::vector<double>{-1, 0, 7}));
  EXPECT_EQ(message_of([&] { sample(narrow, DType::kUInt8); }), "sample 0: input 'x': uint8 has no -1");
  EXPECT_EQ(message_of([&] { sample(narrow, DType::kBool); }), "sample 0: input 'x': bool has no -1");
  EXPECT_EQ(message_of([&] { sample(Tensor::from<int64_t>({3}, wide), DType::kInt32); }),
            "sample 0: input 'x': int32 has no 1099511627776");
  EXPECT_TRUE(has(message_of([&] { sample(narrow, DType::kFloat16); }), "expects float16"));
  EXPECT_TRUE(has(message_of([&] { sample(counting({3}), DType::kInt64); }), "expects int64"));
  EXPECT_TRUE(std::ranges::equal(sample(counting({3}), DType::kFloat64).data<double>(), std::vector<double>{0, 1, 2}));
}

TEST(Dataset, RawFilesAreOfTheTypeThatTheFolderOrTheConfigSays) {
  const TemporaryFolder folder;
  const fs::path floats = folder.path() / "cal_f32", bytes = folder.path() / "cal_uint8", other = folder.path() / "cal";
  for (const fs::path& path : {floats, bytes, other}) fs::create_directory(path);
  const Tensor tensor = counting({1, 2, 2});
  const std::string elements(reinterpret_cast<const char*>(tensor.bytes()), tensor.byte_size());
  for (const char* name : {"b.rgb", "a.bin"}) write_file(floats / name, elements);
  write_file(bytes / "a.rgb", std::string("\1\2\3\xff", 4));
  write_file(other / "a", elements);
  const std::vector<InputSpec> inputs = {spec("x", {-1, 2, 2})};
  const auto data = open_dataset(floats, inputs);
  EXPECT_EQ(data->size(), 2);
  EXPECT_TRUE(equal(data->sample(1)[0], tensor));
  EXPECT_TRUE(
      std::ranges::equal(open_dataset(bytes, inputs)->sample(0)[0].data<float>(), std::vector<float>{1, 2, 3, 255}));
  EXPECT_TRUE(has(message_of([&] { open_dataset(other, inputs); }), "nor raw files of a type that is known"));
  EXPECT_TRUE(equal(open_dataset(other, inputs, {.raw = {{"x", {DType::kFloat32, {}}}}})->sample(0)[0], tensor));
  EXPECT_TRUE(has(message_of([&] {
                    open_dataset(floats, {spec("x", {1, 2, 3})})->sample(0);
                  }),
                  "has 16 bytes, but float32 of shape [1,2,3], which input 'x' takes, has 24"));
  EXPECT_TRUE(has(message_of([&] {
                    open_dataset(floats, {spec("x", {1, -1, 2})});
                  }),
                  "leaves the shape of input 'x' open"));
  EXPECT_EQ(open_dataset(floats, {spec("x", {1, -1, 2})}, {.raw = {{"x", {DType::kUndefined, {1, 2, 2}}}}})->size(), 2);
  write_file(other / "b.PNG", "");
  EXPECT_TRUE(
      has(message_of([&] { open_dataset(other, inputs); }), "holds images; twofold's Python package reads them"));
}

TEST(Dataset, AppliesMeanAndScale) {
  // [1,3,2]
  const auto sample = [](Preprocess preprocess) {
    return in_memory({{counting({1, 3, 2})}}, {spec("x", {1, 3, 2})}, {{{"x", std::move(preprocess)}}})->sample(0)[0];
  };
  EXPECT_TRUE(std::ranges::equal(sample({{1}, {2}}).data<float>(), std::vector<float>{-2, 0, 2, 4, 6, 8}));
  EXPECT_TRUE(
      std::ranges::equal(sample({{0, 1, 2}, {1, 0.5F, -1}}).data<float>(), std::vector<float>{0, 1, 0.5F, 1, -2, -3}));
  EXPECT_TRUE(has(message_of([&] { sample({{1, 2}, {}}); }), "mean has 2 values, but the input has shape [1,3,2]"));
  EXPECT_TRUE(has(message_of([&] {
                    in_memory({{counting({1})}}, {spec("x", {1})}, {{{"z", {{1}, {}}}}});
                  }),
                  "input 'z', which the model does not have"));
  // The given tensor stays as it is.
  const Tensor given = counting({1, 3, 2});
  in_memory({{given}}, {spec("x", {1, 3, 2})}, {{{"x", {{1}, {2}}}}})->sample(0);
  EXPECT_TRUE(equal(given, counting({1, 3, 2})));
}

TEST(Dataset, BadSamplesAreNamed) {
  Tensor bad = counting({1, 3});
  bad.mutable_data<float>()[2] = NAN;
  const std::vector<double> huge = {1e300, 0, 0};
  const auto data = in_memory({{counting({1, 3})}, {bad}, {counting({3, 1})}, {Tensor::from<double>({1, 3}, huge)}},
                              {spec("x", {1, 3})});
  EXPECT_EQ(message_of([&] { data->sample(0); }), "nothing thrown");
  EXPECT_EQ(message_of([&] { data->sample(1); }), "sample 1: the data for input 'x' hold NaN or infinity");
  EXPECT_EQ(message_of([&] { data->sample(2); }),
            "sample 2: input 'x' expects float32 of shape [1,3], but the data are float32 of shape [3,1]");
  EXPECT_EQ(message_of([&] { data->sample(3); }), "sample 3: the data for input 'x' hold NaN or infinity");
  const auto empty = in_memory({{counting({0, 3})}}, {spec("x", {-1, 3})});
  EXPECT_TRUE(has(message_of([&] { empty->sample(0); }), "[0,3], which holds nothing"));
  EXPECT_EQ(message_of([&] { in_memory({}, {spec("x", {1})}); }), "the data hold no samples");
  const auto nameless = in_memory({{}}, {spec("x", {1})});
  EXPECT_EQ(message_of([&] { nameless->sample(0); }), "sample 0 has no array of numbers for input 'x'; it has: none");
  const auto other = make_dataset(samples_in_memory({{{"a", counting({1})}, {"b", counting({1})}}}), {spec("x", {1})});
  EXPECT_EQ(message_of([&] { other->sample(0); }), "sample 0 has no array of numbers for input 'x'; it has: a, b");
}

// Counts what it is asked for; fails where two threads ask at once.
class CountingSource final : public SampleSource {
 public:
  int64_t size() const override { return 100; }
  std::map<std::string, Tensor> sample(int64_t i) const override {
    EXPECT_FALSE(busy_.exchange(true));
    asked_.push_back(i);
    busy_ = false;
    return {{"x", counting({1, 3}, static_cast<float>(i))}, {"label", counting({1})}};
  }
  const std::vector<int64_t>& asked() const { return asked_; }

 private:
  mutable std::atomic<bool> busy_ = false;
  mutable std::vector<int64_t> asked_;
};

TEST(Dataset, ASourceIsAskedByOneThreadAtATimeAndNothingIsKept) {
  const auto source = std::make_shared<CountingSource>();
  const auto data = make_dataset(source, {spec("x", {1, 3})});
  EXPECT_EQ(data->size(), 100);
  EXPECT_TRUE(source->asked().empty());
  parallel_for(100, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const std::vector<Tensor> tensors = data->sample(i);
      ASSERT_EQ(tensors.size(), 1U);
      EXPECT_TRUE(equal(tensors[0], counting({1, 3}, static_cast<float>(i))));
    }
  });
  data->sample(5);
  std::vector<int64_t> asked = source->asked();
  EXPECT_EQ(asked.size(), 101U);
  EXPECT_EQ(asked.back(), 5);
  std::ranges::sort(asked);
  EXPECT_EQ(std::ranges::unique(asked).begin() - asked.begin(), 100);
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
