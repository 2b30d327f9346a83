#include "onednn.h"

#include <dnnl.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

namespace twofold::kernels {

namespace {

using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;

dnnl::memory::desc any(const Dims& dims) { return {dims, dnnl::memory::data_type::f32, Tag::any}; }

// A primitive, and memory filled with ones in the formats it wants.
template <typename Primitive>
std::function<void()> prepare(const dnnl::engine& engine, const Primitive& primitive, const dnnl::memory::desc& a,
                              const dnnl::memory::desc& b, const dnnl::memory::desc& y) {
  std::unordered_map<int, dnnl::memory> arguments = {{DNNL_ARG_SRC, dnnl::memory(a, engine)},
                                                     {DNNL_ARG_WEIGHTS, dnnl::memory(b, engine)},
                                                     {DNNL_ARG_DST, dnnl::memory(y, engine)}};
  for (auto& [index, memory] : arguments) {
    auto* data = static_cast<float*>(memory.get_data_handle());
    for (size_t i = 0; i < memory.get_desc().get_size() / sizeof(float); ++i) data[i] = 1;
  }
  return [engine, primitive, arguments, stream = std::make_shared<dnnl::stream>(engine)] {
    primitive.execute(*stream, arguments);
    stream->wait();
  };
}

}  // namespace

std::function<void()> onednn_float(const Work& work) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  if (work.matmul) {
    const int64_t m = work.height * work.width;
    const dnnl::memory::desc a({m, work.channels}, dnnl::memory::data_type::f32, Tag::ab);
    const dnnl::memory::desc y({m, work.out_channels}, dnnl::memory::data_type::f32, Tag::ab);
    const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(a, any({work.channels, work.out_channels}), y), engine);
    return prepare(engine, dnnl::matmul(desc), desc.src_desc(), desc.weights_desc(), desc.dst_desc());
  }
  const int64_t pad = work.kernel / 2;
  const Dims weights = work.group == 1 ? Dims{work.out_channels, work.channels, work.kernel, work.kernel}
                                       : Dims{work.group, work.out_channels / work.group, work.channels / work.group,
                                              work.kernel, work.kernel};
  const dnnl::convolution_forward::desc conv(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                             any({1, work.channels, work.height, work.width}), any(weights),
                                             any({1, work.out_channels, work.out_height(), work.out_width()}),
                                             Dims{work.stride, work.stride}, Dims{pad, pad},
                                             Dims{work.stride == 1 ? pad : pad - (work.height % 2 == 0 ? 1 : 0),
                                                  work.stride == 1 ? pad : pad - (work.width % 2 == 0 ? 1 : 0)});
  const dnnl::convolution_forward::primitive_desc desc(conv, engine);
  return prepare(engine, dnnl::convolution_forward(desc), desc.src_desc(), desc.weights_desc(), desc.dst_desc());
}

}  // namespace twofold::kernels
