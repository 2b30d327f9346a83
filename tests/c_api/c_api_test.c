/* The C API from C99: what works, and that every mistake is an error with a message. argv: a float model of digits. */
#include "twofold/c_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                       \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, twofold_last_error()); \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

/* The call fails with this status, and the message has these words. */
#define EXPECT_ERROR(call, status, words)                  \
  do {                                                     \
    EXPECT((call) == (status));                            \
    EXPECT(strstr(twofold_last_error(), (words)) != NULL); \
    EXPECT(strchr(twofold_last_error(), '\n') == NULL);    \
  } while (0)

static float image[2 * 28 * 28];
static const int64_t shape[] = {2, 1, 28, 28};

static twofold_tensor good_input(void) {
  twofold_tensor input;
  input.dtype = TWOFOLD_FLOAT32;
  input.rank = 4;
  input.shape = shape;
  input.data = image;
  input.bytes = sizeof(image);
  return input;
}

static void test_opening(const char* path) {
  twofold_session* session = (twofold_session*)image;
  EXPECT_ERROR(twofold_session_open("/no/such.onnx", 0, &session), TWOFOLD_NOT_FOUND, "/no/such.onnx");
  EXPECT(session == NULL);
  EXPECT_ERROR(twofold_session_open(NULL, 0, &session), TWOFOLD_INVALID_ARGUMENT, "path is NULL");
  EXPECT_ERROR(twofold_session_open(path, 0, NULL), TWOFOLD_INVALID_ARGUMENT, "session is NULL");
  EXPECT_ERROR(twofold_session_open(path, -1, &session), TWOFOLD_INVALID_ARGUMENT, "threads is -1");
  EXPECT_ERROR(twofold_session_open_bytes(NULL, 9, NULL, 0, &session), TWOFOLD_INVALID_ARGUMENT, "model is NULL");
  EXPECT_ERROR(twofold_session_open_bytes("rubbish", 7, NULL, 0, &session), TWOFOLD_INVALID_MODEL, "model in memory");
  twofold_session_free(NULL);
}

static void test_bytes_are_a_model_too(const char* path) {
  static char bytes[1 << 20];
  twofold_session* session = NULL;
  FILE* file = fopen(path, "rb");
  size_t size;
  EXPECT(file != NULL);
  size = fread(bytes, 1, sizeof(bytes), file);
  fclose(file);
  EXPECT(size < sizeof(bytes));
  EXPECT(twofold_session_open_bytes(bytes, size, NULL, 1, &session) == TWOFOLD_OK);
  memset(bytes, 0, sizeof(bytes)); /* the caller's again */
  {
    const twofold_tensor input = good_input();
    twofold_result* result = NULL;
    EXPECT(twofold_session_run(session, &input, 1, NULL, &result) == TWOFOLD_OK);
    twofold_result_free(result);
  }
  twofold_session_free(session);
}

static void test_description(const twofold_session* session) {
  twofold_tensor_info info;
  size_t count = 9;
  EXPECT(twofold_session_input_count(session, &count) == TWOFOLD_OK && count == 1);
  EXPECT(twofold_session_input(session, 0, &info) == TWOFOLD_OK);
  EXPECT(strcmp(info.name, "image") == 0 && info.dtype == TWOFOLD_FLOAT32 && info.rank == 4);
  EXPECT(info.shape[0] == -1 && info.shape[1] == 1 && info.shape[2] == 28 && info.shape[3] == 28);
  EXPECT(twofold_session_output_count(session, &count) == TWOFOLD_OK && count == 1);
  EXPECT(twofold_session_output(session, 0, &info) == TWOFOLD_OK);
  EXPECT(strcmp(info.name, "logits") == 0 && info.dtype == TWOFOLD_FLOAT32 && info.rank == 2);

  EXPECT_ERROR(twofold_session_input(session, 1, &info), TWOFOLD_INVALID_ARGUMENT, "no input 1");
  EXPECT_ERROR(twofold_session_output(session, 7, &info), TWOFOLD_INVALID_ARGUMENT, "no output 7");
  EXPECT_ERROR(twofold_session_input(session, 0, NULL), TWOFOLD_INVALID_ARGUMENT, "info is NULL");
  EXPECT_ERROR(twofold_session_input(NULL, 0, &info), TWOFOLD_INVALID_ARGUMENT, "session is NULL");
  EXPECT_ERROR(twofold_session_output(NULL, 0, &info), TWOFOLD_INVALID_ARGUMENT, "session is NULL");
  EXPECT_ERROR(twofold_session_input_count(NULL, &count), TWOFOLD_INVALID_ARGUMENT, "session is NULL");
  EXPECT_ERROR(twofold_session_output_count(session, NULL), TWOFOLD_INVALID_ARGUMENT, "count is NULL");
}

static void test_run(const twofold_session* session) {
  const twofold_tensor input = good_input();
  twofold_result* result = NULL;
  twofold_tensor output;
  float copy[20];
  size_t count = 0;
  EXPECT(twofold_session_run(session, &input, 1, NULL, &result) == TWOFOLD_OK);
  EXPECT(twofold_result_count(result, &count) == TWOFOLD_OK && count == 1);
  EXPECT(twofold_result_tensor(result, 0, &output) == TWOFOLD_OK);
  EXPECT(output.dtype == TWOFOLD_FLOAT32 && output.rank == 2 && output.shape[0] == 2 && output.shape[1] == 10);
  EXPECT(output.bytes == sizeof(copy));
  EXPECT(twofold_result_copy(result, 0, copy, sizeof(copy)) == TWOFOLD_OK);
  EXPECT(memcmp(copy, output.data, sizeof(copy)) == 0);
  EXPECT(memcmp(copy, copy + 10, 10 * sizeof(float)) != 0);

  EXPECT_ERROR(twofold_result_copy(result, 0, copy, 79), TWOFOLD_INVALID_ARGUMENT, "output 0 has 80 bytes");
  EXPECT_ERROR(twofold_result_copy(result, 0, NULL, 80), TWOFOLD_INVALID_ARGUMENT, "data is NULL");
  EXPECT_ERROR(twofold_result_copy(result, 1, copy, 80), TWOFOLD_INVALID_ARGUMENT, "no output 1");
  EXPECT_ERROR(twofold_result_tensor(result, 0, NULL), TWOFOLD_INVALID_ARGUMENT, "tensor is NULL");
  EXPECT_ERROR(twofold_result_tensor(NULL, 0, &output), TWOFOLD_INVALID_ARGUMENT, "result is NULL");
  EXPECT_ERROR(twofold_result_count(NULL, &count), TWOFOLD_INVALID_ARGUMENT, "result is NULL");
  twofold_result_free(result);
  twofold_result_free(NULL);
}

static void expect_bad_input(const twofold_session* session, twofold_tensor input, const char* words) {
  twofold_result* result = (twofold_result*)image;
  EXPECT_ERROR(twofold_session_run(session, &input, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, words);
  EXPECT(result == NULL);
}

static void test_bad_inputs(const twofold_session* session) {
  static const int64_t wide[] = {2, 1, 28, 29}, negative[] = {-2, 1, 28, 28}, huge[] = {INT64_MAX, 1, 28, 28};
  static double numbers[2 * 28 * 28];
  const twofold_tensor good = good_input();
  twofold_result* result = NULL;
  twofold_tensor bad = good;

  bad.dtype = TWOFOLD_FLOAT64, bad.data = numbers, bad.bytes = sizeof(numbers);
  expect_bad_input(session, bad, "input 'image' must be float32, but float64 was given");
  bad = good, bad.dtype = (twofold_dtype)77;
  expect_bad_input(session, bad, "element type 77");
  bad.dtype = TWOFOLD_UNDEFINED;
  expect_bad_input(session, bad, "element type 0");
  bad = good, bad.rank = 3;
  expect_bad_input(session, bad, "rank 3");
  bad.rank = -1;
  expect_bad_input(session, bad, "rank -1");
  bad.rank = INT32_MAX;
  expect_bad_input(session, bad, "rank 2147483647");
  bad = good, bad.shape = NULL;
  expect_bad_input(session, bad, "shape of input 'image' is NULL");
  bad = good, bad.shape = wide;
  expect_bad_input(session, bad, "6272 bytes");
  bad.shape = negative;
  expect_bad_input(session, bad, "negative");
  bad.shape = wide, bad.bytes = 4 * 2 * 28 * 29, bad.data = numbers;
  expect_bad_input(session, bad, "[2,1,28,29] was given");
  bad = good, bad.bytes -= 4;
  expect_bad_input(session, bad, "6268 bytes");
  bad = good, bad.data = NULL;
  expect_bad_input(session, bad, "data of input 'image' is NULL");
  bad = good, bad.data = (const char*)numbers + 1;
  expect_bad_input(session, bad, "aligned to 4 bytes");

  bad = good, bad.shape = huge;
  EXPECT_ERROR(twofold_session_run(session, &bad, 1, NULL, &result), TWOFOLD_RESOURCE_EXHAUSTED, "too many");
  EXPECT_ERROR(twofold_session_run(session, &good, 0, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "has 1 inputs, but 0");
  EXPECT_ERROR(twofold_session_run(session, &good, 2, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "has 1 inputs, but 2");
  EXPECT_ERROR(twofold_session_run(session, NULL, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "inputs is NULL");
  EXPECT_ERROR(twofold_session_run(session, &good, 1, NULL, NULL), TWOFOLD_INVALID_ARGUMENT, "result is NULL");
  EXPECT_ERROR(twofold_session_run(NULL, &good, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "session is NULL");
}

static void expect_same(const twofold_result* a, const twofold_result* b) {
  twofold_tensor x, y;
  EXPECT(twofold_result_tensor(a, 0, &x) == TWOFOLD_OK && twofold_result_tensor(b, 0, &y) == TWOFOLD_OK);
  EXPECT(x.bytes == y.bytes && memcmp(x.data, y.data, x.bytes) == 0);
}

static void test_kept_run_mistakes(const twofold_session* session, const twofold_kept_run* kept) {
  static const char *const none[] = {"/Concat_output"}, *const cut[] = {"/Concat_output_0"}, *const null[] = {NULL};
  const twofold_tensor input = good_input();
  twofold_kept_run* other = (twofold_kept_run*)image;
  twofold_result* result = (twofold_result*)image;
  size_t number = 0;
  EXPECT_ERROR(twofold_session_keep(session, &input, 2, 0, NULL, &other), TWOFOLD_INVALID_ARGUMENT, "1 inputs, but 2");
  EXPECT(other == NULL);
  EXPECT_ERROR(twofold_session_keep(NULL, &input, 1, 0, NULL, &other), TWOFOLD_INVALID_ARGUMENT, "session is NULL");
  EXPECT_ERROR(twofold_session_keep(session, &input, 1, 0, NULL, NULL), TWOFOLD_INVALID_ARGUMENT, "kept is NULL");
  EXPECT_ERROR(twofold_kept_run_value(kept, none[0], NULL, &result), TWOFOLD_INVALID_ARGUMENT, "'/Concat_output_0'");
  EXPECT(result == NULL);
  EXPECT_ERROR(twofold_kept_run_value(kept, "/Add_output_0", NULL, &result), TWOFOLD_INVALID_ARGUMENT, "not watched");
  EXPECT_ERROR(twofold_kept_run_value(kept, NULL, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "name is NULL");
  EXPECT_ERROR(twofold_kept_run_value(kept, cut[0], NULL, NULL), TWOFOLD_INVALID_ARGUMENT, "result is NULL");
  EXPECT_ERROR(twofold_kept_run_from(kept, cut, &input, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, cut[0]);
  EXPECT_ERROR(twofold_kept_run_from(kept, cut, NULL, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "tensors is NULL");
  EXPECT_ERROR(twofold_kept_run_from(kept, NULL, &input, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "names is NULL");
  EXPECT_ERROR(twofold_kept_run_from(kept, null, &input, 1, NULL, &result), TWOFOLD_INVALID_ARGUMENT, "name is NULL");
  EXPECT_ERROR(twofold_kept_run_nodes(kept, none, 1, &number), TWOFOLD_INVALID_ARGUMENT, "no tensor '/Concat_output'");
  EXPECT_ERROR(twofold_kept_run_nodes(kept, cut, 1, NULL), TWOFOLD_INVALID_ARGUMENT, "nodes is NULL");
  EXPECT_ERROR(twofold_kept_run_bytes(NULL, &number), TWOFOLD_INVALID_ARGUMENT, "kept is NULL");
  EXPECT_ERROR(twofold_kept_run_outputs(NULL, &result), TWOFOLD_INVALID_ARGUMENT, "kept is NULL");
}

static void test_kept_runs(const char* path) {
  static const char *const watched[] = {"/Concat_output_0"}, *const names[] = {"image", "/Concat_output_0"},
                           *const wrong[] = {"/Concat"};
  const twofold_tensor input = good_input();
  twofold_session* session = NULL;
  twofold_kept_run *kept = NULL, *dark = NULL;
  twofold_result *whole = NULL, *first = NULL, *value = NULL, *result = NULL;
  twofold_cancellation* cancellation = NULL;
  twofold_tensor tensor;
  size_t bytes = 0, from_input = 0, from_cut = 0;

  EXPECT_ERROR(twofold_session_open_watching(path, 1, wrong, 1, &session), TWOFOLD_INVALID_ARGUMENT, "to watch");
  EXPECT_ERROR(twofold_session_open_watching(path, 1, NULL, 1, &session), TWOFOLD_INVALID_ARGUMENT, "watched is NULL");
  EXPECT(session == NULL);
  EXPECT(twofold_session_open_watching(path, 1, watched, 1, &session) == TWOFOLD_OK);
  EXPECT(twofold_session_run(session, &input, 1, NULL, &whole) == TWOFOLD_OK);
  EXPECT(twofold_session_keep(session, &input, 1, SIZE_MAX, NULL, &kept) == TWOFOLD_OK);
  test_kept_run_mistakes(session, kept);
  image[100] += 1; /* the caller's: the kept run has a copy */
  EXPECT(twofold_session_keep(session, &input, 1, 0, NULL, &dark) == TWOFOLD_OK);
  image[100] -= 1;
  twofold_session_free(session);

  EXPECT(twofold_kept_run_bytes(dark, &bytes) == TWOFOLD_OK && bytes == 0);
  EXPECT(twofold_kept_run_bytes(kept, &bytes) == TWOFOLD_OK && bytes > 0);
  EXPECT(twofold_kept_run_outputs(kept, &first) == TWOFOLD_OK);
  expect_same(first, whole);
  EXPECT(twofold_kept_run_nodes(kept, names, 1, &from_input) == TWOFOLD_OK);
  EXPECT(twofold_kept_run_nodes(kept, names + 1, 1, &from_cut) == TWOFOLD_OK);
  EXPECT(0 < from_cut && from_cut < from_input);

  /* The other image's tensor in the first one's place, and the image itself. */
  EXPECT(twofold_kept_run_value(dark, names[1], NULL, &value) == TWOFOLD_OK);
  EXPECT(twofold_result_tensor(value, 0, &tensor) == TWOFOLD_OK && tensor.rank == 4);
  EXPECT(twofold_kept_run_from(kept, names + 1, &tensor, 1, NULL, &result) == TWOFOLD_OK);
  twofold_result_free(first);
  EXPECT(twofold_kept_run_outputs(dark, &first) == TWOFOLD_OK);
  expect_same(result, first);
  twofold_result_free(result);
  EXPECT(twofold_kept_run_from(dark, names, &input, 1, NULL, &result) == TWOFOLD_OK);
  expect_same(result, whole);
  twofold_result_free(result);

  EXPECT(twofold_cancellation_new(&cancellation) == TWOFOLD_OK);
  twofold_cancel(cancellation);
  EXPECT_ERROR(twofold_kept_run_from(dark, names, &input, 1, cancellation, &result), TWOFOLD_CANCELLED, "cancelled");
  EXPECT(result == NULL);
  twofold_cancellation_free(cancellation);
  twofold_kept_run_free(kept);
  twofold_kept_run_free(dark);
  twofold_kept_run_free(NULL);
  twofold_result_free(whole);
  twofold_result_free(first);
  twofold_result_free(value); /* results stay without what they come from */
}

static void test_cancellation(const twofold_session* session) {
  const twofold_tensor input = good_input();
  twofold_cancellation* cancellation = NULL;
  twofold_result* result = NULL;
  EXPECT_ERROR(twofold_cancellation_new(NULL), TWOFOLD_INVALID_ARGUMENT, "cancellation is NULL");
  EXPECT(twofold_cancellation_new(&cancellation) == TWOFOLD_OK);
  EXPECT(twofold_session_run(session, &input, 1, cancellation, &result) == TWOFOLD_OK);
  twofold_result_free(result);
  twofold_cancel(cancellation);
  EXPECT_ERROR(twofold_session_run(session, &input, 1, cancellation, &result), TWOFOLD_CANCELLED, "cancelled");
  EXPECT(result == NULL);
  twofold_cancellation_free(cancellation);
  twofold_cancellation_free(NULL);
  twofold_cancel(NULL);
}

int main(int argc, char** argv) {
  twofold_session* session = NULL;
  size_t i;
  EXPECT(argc == 2);
  for (i = 0; i < sizeof(image) / sizeof(image[0]); ++i) image[i] = (float)(i * 37 % 101) / 101;
  EXPECT(strcmp(twofold_version(), TWOFOLD_VERSION) == 0);
  EXPECT(strcmp(twofold_last_error(), "") == 0);
  test_opening(argv[1]);
  test_bytes_are_a_model_too(argv[1]);
  EXPECT(twofold_session_open(argv[1], 1, &session) == TWOFOLD_OK);
  test_description(session);
  test_run(session);
  test_bad_inputs(session);
  test_cancellation(session);
  test_run(session);
  twofold_session_free(session);
  test_kept_runs(argv[1]);
  return 0;
}
