// Models that run: what they say of themselves, and what they refuse.
#include "twofold/session.h"

#include <gtest/gtest.h>

#include "api/quantized_digits.h"
#include "api/same_bits.h"
#include "base/files.h"
#include "base/message_of.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "twofold/error.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

TEST(Session, SaysWhatGoesInAndComesOut) {
  const Session session(kDigitsModel, {.threads = 1});
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(session.inputs()[0].name, "image");
  EXPECT_EQ(session.inputs()[0].dtype, DType::kFloat32);
  EXPECT_EQ(session.inputs()[0].shape, (Shape{-1, 1, 28, 28}));
  ASSERT_EQ(session.outputs().size(), 1U);
  EXPECT_EQ(session.outputs()[0].name, "logits");
  EXPECT_EQ(session.outputs()[0].shape, (Shape{-1, 10}));
  EXPECT_EQ(session.run({images(2, 1)})[0].shape(), (Shape{2, 10}));
}

TEST(Session, TakesAModelInMemoryAsOneInAFile) {
  const Session from_file(quantized_digits().model, {.threads = 1});
  const std::string bytes = read_text_file(quantized_digits().model);
  Session in_memory(std::as_bytes(std::span(bytes)), "", {.threads = 1});
  const std::vector<Tensor> expected = from_file.run({images(2, 1)});
  EXPECT_TRUE(same_bits(in_memory.run({images(2, 1)}), expected));
  const Session moved = std::move(in_memory);
  EXPECT_TRUE(same_bits(moved.run({images(2, 1)}), expected));
  EXPECT_FALSE(same_bits(moved.run({images(2, 2)}), expected));
}

TEST(Session, GivesTheSameBitsInTwoPasses) {
  const Session one(quantized_digits().model, {.threads = 1});
  const Session two(quantized_digits().model, {.threads = 1, .ec_in_two_passes = true});
  EXPECT_TRUE(same_bits(two.run({images(3, 5)}), one.run({images(3, 5)})));
}

TEST(Session, RefusesInputsThatDoNotFitAndGoesOn) {
  const Session session(kDigitsModel, {.threads = 1});
  const auto expect_refusal = [&](const std::vector<Tensor>& inputs, const std::string& message) {
    EXPECT_EQ(message_of([&] { session.run(inputs); }), message);
    EXPECT_EQ(message_of([&] { session.keep(inputs); }), message);
  };
  expect_refusal({}, "the model has 1 inputs, but 0 were given");
  expect_refusal({images(1, 1), images(1, 1)}, "the model has 1 inputs, but 2 were given");
  expect_refusal({Tensor(DType::kFloat64, {1, 1, 28, 28})}, "input 'image' must be float32, but float64 was given");
  for (const Shape& shape : {Shape{1, 28, 28}, Shape{1, 1, 28, 28, 1}, Shape{1, 1, 14, 56}}) {
    expect_refusal({images(1, 1).reshaped(shape)},
                   "input 'image' must have shape [-1,1,28,28] (-1: any size), but " + to_string(shape) + " was given");
  }
  EXPECT_EQ(session.run({images(1, 1)}).size(), 1U);
}

TEST(Session, TakesAnyShapeWhereNoneIsDeclared) {
  const TemporaryFolder folder;
  GraphBuilder b;
  b.output(b.node("neg", "Neg", {b.input_of_unknown_rank("x")}));
  export_onnx(b.graph, folder.path() / "neg.onnx");
  const Session session(folder.path() / "neg.onnx", {.threads = 1});
  EXPECT_FALSE(session.inputs()[0].known_rank);
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{1, 2, 2, 1, 1}}) {
    Tensor x(DType::kFloat32, shape);
    for (float& value : x.mutable_data<float>()) value = 2;
    const Tensor y = session.run({x})[0];
    EXPECT_EQ(y.shape(), shape);
    for (const float value : y.data<float>()) EXPECT_EQ(value, -2);
  }
}

TEST(Session, IsEndedWhereItAsks) {
  const Session session(kDigitsModel, {.threads = 1});
  const std::vector<Tensor> expected = session.run({images(1, 1)});
  int asked = 0;
  EXPECT_TRUE(same_bits(session.run({images(1, 1)}, [&] { return ++asked < 0; }), expected));
  EXPECT_GT(asked, 10);  // before every node
  for (const int last : {1, asked / 2, asked}) {
    int questions = 0;
    try {
      session.run({images(1, 1)}, [&] { return ++questions == last; });
      ADD_FAILURE() << "goes on after question " << last;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCancelled);
    }
    EXPECT_EQ(questions, last);
  }
  EXPECT_TRUE(same_bits(session.run({images(1, 1)}), expected));
}

TEST(Session, NamesWatchedTensorsThatItCannotWatch) {
  const auto refusal = [](const std::string& name) {
    return message_of([&] { const Session session(kDigitsModel, {.threads = 1, .watched = {name}}); });
  };
  EXPECT_EQ(refusal("/Concat_output")
                .find("the model has no tensor '/Concat_output' to watch; the nearest names are: '/Concat_output_0'"),
            0U);
  EXPECT_EQ(refusal("head.weight"), "tensor 'head.weight' cannot be watched: it is a constant of the model");
}

}  // namespace
}  // namespace twofold
