/* The same as run_model.cc in C:  run_model_c MODEL INPUT OUTPUT */
#include <stdio.h>
#include <stdlib.h>
#include <twofold/c_api.h>

/* Ends the program where a call failed. */
static void check(twofold_status status) {
  if (status == TWOFOLD_OK) return;
  fprintf(stderr, "error: %s\n", twofold_last_error());
  exit(1);
}

static void fail(const char* path, const char* what) {
  fprintf(stderr, "error: %s: %s\n", path, what);
  exit(1);
}

/* The whole file; the caller frees it. */
static void* read_file(const char* path, size_t* bytes) {
  FILE* file = fopen(path, "rb");
  long size = -1;
  void* data = NULL;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) fail(path, "cannot be read");
  rewind(file);
  data = malloc((size_t)size + 1);
  if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) fail(path, "cannot be read");
  fclose(file);
  *bytes = (size_t)size;
  return data;
}

int main(int argc, char** argv) {
  twofold_session* session = NULL;
  twofold_result* result = NULL;
  twofold_tensor_info info;
  twofold_tensor input, output;
  int64_t shape[8];
  size_t sample = sizeof(float);
  void* data;
  FILE* file;

  if (argc != 4) {
    fprintf(stderr, "usage: run_model_c MODEL INPUT OUTPUT\n");
    return 2;
  }
  check(twofold_session_open(argv[1], 1, &session));
  check(twofold_session_input(session, 0, &info));
  if (info.dtype != TWOFOLD_FLOAT32 || info.rank < 1 || info.rank > 8) fail(argv[1], "needs one float32 input");

  input.dtype = info.dtype;
  input.rank = info.rank;
  input.shape = shape;
  input.data = data = read_file(argv[2], &input.bytes);
  for (int32_t i = 1; i < info.rank; ++i) {
    if (info.shape[i] <= 0) fail(argv[1], "leaves more than the first dimension open");
    shape[i] = info.shape[i];
    sample *= (size_t)shape[i];
  }
  shape[0] = info.shape[0] < 0 ? (int64_t)(input.bytes / sample) : info.shape[0];

  check(twofold_session_run(session, &input, 1, NULL, &result));
  check(twofold_result_tensor(result, 0, &output));
  check(twofold_session_output(session, 0, &info));
  printf("%s [", info.name);
  for (int32_t i = 0; i < output.rank; ++i) printf(i == 0 ? "%lld" : ",%lld", (long long)output.shape[i]);
  printf("]\n");
  file = fopen(argv[3], "wb");
  if (file == NULL || fwrite(output.data, 1, output.bytes, file) != output.bytes) fail(argv[3], "cannot be written");
  fclose(file);

  twofold_result_free(result);
  twofold_session_free(session);
  free(data);
  return 0;
}
