/* Twofold's engine for C, and for languages that call C: open a model, run it.
 *
 * Every function that can fail returns a twofold_status. Where it is not TWOFOLD_OK, twofold_last_error() is the
 * message, and nothing has been written through the pointers given, but that a handle asked for is NULL. Null handles
 * and pointers, wrong counts, element types, shapes and sizes are errors. No exception leaves a function.
 *
 * What a function gives a pointer to belongs to the handle it was asked of, and is there until that handle is freed.
 * Memory that the caller passes in is read during the call only. Strings are UTF-8 and end with a zero byte.
 *
 * Any function may be called by several threads at once, on the same handles too; only freeing a handle must wait until
 * no other call uses it.
 *
 * Link with libtwofold_c (CMake: twofold::c). The numbers in this header stay as they are.
 */
#ifndef TWOFOLD_C_API_H_
#define TWOFOLD_C_API_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum twofold_status {
  TWOFOLD_OK = 0,
  TWOFOLD_INVALID_ARGUMENT = 1,   /* an argument or an input tensor is wrong */
  TWOFOLD_INVALID_MODEL = 2,      /* the model contradicts itself or the ONNX standard */
  TWOFOLD_UNSUPPORTED = 3,        /* valid, but Twofold does not do it */
  TWOFOLD_NOT_FOUND = 4,          /* a file does not exist */
  TWOFOLD_IO = 5,                 /* reading failed */
  TWOFOLD_RESOURCE_EXHAUSTED = 6, /* out of memory or over a size limit */
  TWOFOLD_CANCELLED = 7,          /* twofold_cancel() was called */
  TWOFOLD_INTERNAL = 8            /* a mistake in Twofold; please report the message */
} twofold_status;

/* Element types, with the numbers of ONNX's TensorProto.DataType. Elements are in the machine's byte order, those of
 * float16 and bfloat16 as 16 bits, those of bool as one byte, 0 or 1. */
typedef enum twofold_dtype {
  TWOFOLD_UNDEFINED = 0, /* of a TensorInfo: the model does not say */
  TWOFOLD_FLOAT32 = 1,
  TWOFOLD_UINT8 = 2,
  TWOFOLD_INT8 = 3,
  TWOFOLD_UINT16 = 4,
  TWOFOLD_INT16 = 5,
  TWOFOLD_INT32 = 6,
  TWOFOLD_INT64 = 7,
  TWOFOLD_BOOL = 9,
  TWOFOLD_FLOAT16 = 10,
  TWOFOLD_FLOAT64 = 11,
  TWOFOLD_UINT32 = 12,
  TWOFOLD_UINT64 = 13,
  TWOFOLD_BFLOAT16 = 16
} twofold_dtype;

/* What a model says of an input or output. */
typedef struct twofold_tensor_info {
  const char* name;
  twofold_dtype dtype;
  int32_t rank;         /* number of dimensions; -1: not fixed */
  const int64_t* shape; /* [rank]; -1: a dimension that is not fixed. NULL where rank is not positive */
} twofold_tensor_info;

/* An array: row-major, dense. `bytes` must be the size of the shape's elements, and `data` aligned as they are. */
typedef struct twofold_tensor {
  twofold_dtype dtype;
  int32_t rank;         /* 0: a scalar */
  const int64_t* shape; /* [rank]; may be NULL where rank is 0 */
  const void* data;     /* may be NULL where there are no elements */
  size_t bytes;
} twofold_tensor;

typedef struct twofold_session twofold_session;           /* a loaded model */
typedef struct twofold_result twofold_result;             /* the outputs of one run */
typedef struct twofold_cancellation twofold_cancellation; /* a means to end runs early */
typedef struct twofold_kept_run twofold_kept_run;         /* one run, to go on from its middle */

/* "0.1.0". The string is always there. */
const char* twofold_version(void);

/* The message of the last call of the calling thread that failed, one line; "" before the first. The string is there
 * until the next call of this thread that fails. Other threads have their own. */
const char* twofold_last_error(void);

/* Loads a model file. `threads` = 0 means all cores. On success the caller owns *session. */
twofold_status twofold_session_open(const char* path, int32_t threads, twofold_session** session);

/* Loads a model in memory, of `size` bytes, which may be freed afterwards. Data that it keeps in other files is looked
 * for in `folder`; NULL means the current one. On success the caller owns *session. */
twofold_status twofold_session_open_bytes(const void* model, size_t size, const char* folder, int32_t threads,
                                          twofold_session** session);

/* twofold_session_open() for runs from the middle: the `count` tensors of the model named by `watched` can be read and
 * changed in a twofold_kept_run. They are not fused away, which costs some speed; results are the same to the bit. */
twofold_status twofold_session_open_watching(const char* path, int32_t threads, const char* const* watched,
                                             size_t count, twofold_session** session);

/* Frees a session; NULL does nothing. Its results and kept runs stay. */
void twofold_session_free(twofold_session* session);

/* Number of inputs and outputs. */
twofold_status twofold_session_input_count(const twofold_session* session, size_t* count);
twofold_status twofold_session_output_count(const twofold_session* session, size_t* count);

/* One input or output; what *info points to belongs to the session. */
twofold_status twofold_session_input(const twofold_session* session, size_t index, twofold_tensor_info* info);
twofold_status twofold_session_output(const twofold_session* session, size_t index, twofold_tensor_info* info);

/* Runs the model on `count` inputs, in the order of twofold_session_input(), which are read in place, not copied.
 * `cancellation` may be NULL. On success the caller owns *result. After a failure the session runs as before. */
twofold_status twofold_session_run(const twofold_session* session, const twofold_tensor* inputs, size_t count,
                                   const twofold_cancellation* cancellation, twofold_result** result);

/* Number of outputs of a run. */
twofold_status twofold_result_count(const twofold_result* result, size_t* count);

/* One output, in the order of twofold_session_output(); what *tensor points to belongs to the result. */
twofold_status twofold_result_tensor(const twofold_result* result, size_t index, twofold_tensor* tensor);

/* Copies one output to memory of the caller, which must hold `bytes` = the tensor's bytes. */
twofold_status twofold_result_copy(const twofold_result* result, size_t index, void* data, size_t bytes);

/* Frees a result; NULL does nothing. */
void twofold_result_free(twofold_result* result);

/* Runs as twofold_session_run() does, and keeps copies of the inputs and the tensors that nodes compute: these in the
 * order they are computed, up to `memory_cap` bytes. What does not fit is computed again where it is needed. On success
 * the caller owns *kept. */
twofold_status twofold_session_keep(const twofold_session* session, const twofold_tensor* inputs, size_t count,
                                    size_t memory_cap, const twofold_cancellation* cancellation,
                                    twofold_kept_run** kept);

/* The outputs of the run, in the order of twofold_session_output(). On success the caller owns *result. */
twofold_status twofold_kept_run_outputs(const twofold_kept_run* kept, twofold_result** result);

/* A tensor of the run, an input or one that the session watches, as the only tensor of *result, which the caller owns
 * on success. Where the engine has only the integers of a float tensor, what they stand for. */
twofold_status twofold_kept_run_value(const twofold_kept_run* kept, const char* name,
                                      const twofold_cancellation* cancellation, twofold_result** result);

/* The outputs as they are if the `count` tensors called `names` have come out as `tensors`: the same bits as those of a
 * whole run. Runs only the nodes that depend on them. On success the caller owns *result. */
twofold_status twofold_kept_run_from(const twofold_kept_run* kept, const char* const* names,
                                     const twofold_tensor* tensors, size_t count,
                                     const twofold_cancellation* cancellation, twofold_result** result);

/* How many nodes twofold_kept_run_from() runs for a change of the `count` tensors called `names`. */
twofold_status twofold_kept_run_nodes(const twofold_kept_run* kept, const char* const* names, size_t count,
                                      size_t* nodes);

/* Bytes of kept tensors, inputs and outputs not among them. */
twofold_status twofold_kept_run_bytes(const twofold_kept_run* kept, size_t* bytes);

/* Frees a kept run; NULL does nothing. Its results stay. */
void twofold_kept_run_free(twofold_kept_run* kept);

/* A cancellation that nobody has asked for yet. On success the caller owns *cancellation. */
twofold_status twofold_cancellation_new(twofold_cancellation** cancellation);

/* Ends every run that was given `cancellation`, those that run now (after the node they are at) and those to come, with
 * TWOFOLD_CANCELLED. NULL does nothing. May be called in a signal handler. */
void twofold_cancel(twofold_cancellation* cancellation);

/* Frees a cancellation; NULL does nothing. No run may be using it. */
void twofold_cancellation_free(twofold_cancellation* cancellation);

#ifdef __cplusplus
}
#endif

#endif /* TWOFOLD_C_API_H_ */
