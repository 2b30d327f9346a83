// Runs that are kept go on from the middle as whole runs do.
#include <gtest/gtest.h>

#include "api/quantized_digits.h"
#include "api/same_bits.h"
#include "base/message_of.h"
#include "twofold/error.h"
#include "twofold/session.h"

namespace twofold {
namespace {

using ::twofold::testing::message_of;

// All that comes from the convolutions passes through the second one.
const std::string kRelu = "/relu/Relu_output_0", kCut = "/Concat_output_0";

Session open_quantized() { return Session(quantized_digits().model, {.threads = 1, .watched = {kRelu, kCut}}); }

TEST(KeptRun, GivesTheOutputsOfAPlainRun) {
  const Session plain(quantized_digits().model, {.threads = 1}), session = open_quantized();
  const KeptRun kept = session.keep({images(2, 1)});
  EXPECT_TRUE(same_bits(kept.outputs(), plain.run({images(2, 1)})));
  EXPECT_TRUE(same_bits(session.run({images(2, 1)}), plain.run({images(2, 1)})));
  EXPECT_TRUE(same_bits(kept.value("image"), images(2, 1)));
}

TEST(KeptRun, GoesOnFromWhatItIsGiven) {
  const Session session = open_quantized();
  const KeptRun kept = session.keep({images(2, 1)}), other = session.keep({images(2, 2)});
  EXPECT_FALSE(same_bits(kept.outputs(), other.outputs()));
  EXPECT_TRUE(same_bits(kept.run_from({}), kept.outputs()));
  EXPECT_TRUE(same_bits(kept.run_from({{kCut, kept.value(kCut)}}), kept.outputs()));
  EXPECT_TRUE(same_bits(kept.run_from({{kCut, other.value(kCut)}}), other.outputs()));
  EXPECT_TRUE(same_bits(kept.run_from({{"image", images(2, 2)}}), other.outputs()));
  // What is nearer to the end hides what comes before it.
  EXPECT_TRUE(same_bits(kept.run_from({{"image", images(2, 3)}, {kCut, other.value(kCut)}}), other.outputs()));
  // The run itself stays as it was.
  EXPECT_TRUE(same_bits(kept.outputs(), session.run({images(2, 1)})));
}

TEST(KeptRun, ComputesAgainWhatItsMemoryDoesNotHold) {
  const Session session = open_quantized();
  const KeptRun all = session.keep({images(2, 1)}), other = session.keep({images(2, 2)});
  ASSERT_GT(all.kept_bytes(), 10000U);
  for (const size_t cap : {size_t{0}, all.kept_bytes() / 2}) {
    const KeptRun kept = session.keep({images(2, 1)}, cap);
    EXPECT_LE(kept.kept_bytes(), cap);
    EXPECT_TRUE(same_bits(kept.outputs(), all.outputs()));
    for (const std::string& name : {kRelu, kCut}) EXPECT_TRUE(same_bits(kept.value(name), all.value(name)));
    EXPECT_TRUE(same_bits(kept.run_from({{kCut, other.value(kCut)}}), other.outputs()));
  }
}

TEST(KeptRun, CountsTheNodesThatAChangeConcerns) {
  const Session session = open_quantized();
  const KeptRun kept = session.keep({images(1, 1)});
  EXPECT_EQ(kept.nodes_to_run({}), 0);
  EXPECT_GT(kept.nodes_to_run({kCut}), 0);
  EXPECT_LT(kept.nodes_to_run({kCut}), kept.nodes_to_run({kRelu}));
  EXPECT_LT(kept.nodes_to_run({kRelu}), kept.nodes_to_run({"image"}));
  // What is given need not be computed.
  EXPECT_EQ(kept.nodes_to_run({"image", kCut}), kept.nodes_to_run({kCut}));
}

TEST(KeptRun, OutlivesItsSession) {
  KeptRun kept = open_quantized().keep({images(1, 1)}, 0);
  EXPECT_TRUE(same_bits(kept.run_from({{"image", images(1, 2)}}), open_quantized().run({images(1, 2)})));
  KeptRun moved = open_quantized().keep({images(1, 3)});
  moved = std::move(kept);
  EXPECT_TRUE(same_bits(moved.outputs(), open_quantized().run({images(1, 1)})));
}

TEST(KeptRun, NamesTheNearestOfWhatItKnows) {
  const Session session(kDigitsModel, {.threads = 1, .watched = {kCut}});
  const KeptRun kept = session.keep({images(1, 1)});
  const std::string unknown =
      "the model has no tensor 'imag'; the nearest that are inputs or watched are: 'image', '" + kCut + "'";
  EXPECT_EQ(message_of([&] { kept.value("imag"); }), unknown);
  EXPECT_EQ(message_of([&] { kept.run_from({{"imag", images(1, 1)}}); }), unknown);
  EXPECT_EQ(message_of([&] { kept.nodes_to_run({"image", "imag"}); }), unknown);
  const std::string unwatched =
      "tensor '" + kRelu + "' is not watched: name it in the session's option `watched` to read or change it";
  EXPECT_EQ(message_of([&] { kept.value(kRelu); }), unwatched);
  EXPECT_EQ(message_of([&] { kept.run_from({{kRelu, images(1, 1)}}); }), unwatched);
}

TEST(KeptRun, RefusesTensorsOfAnotherKind) {
  const KeptRun kept = open_quantized().keep({images(2, 1)});
  for (const Tensor& wrong : {Tensor(DType::kFloat64, {2, 48, 6, 6}), Tensor(DType::kFloat32, {1, 48, 6, 6})}) {
    try {
      kept.run_from({{kCut, wrong}});
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()).find("tensor '" + kCut + "' is float32 [2,48,6,6]"), 0U) << error.what();
    }
  }
}

}  // namespace
}  // namespace twofold
