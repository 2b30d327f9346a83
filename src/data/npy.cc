#include "data/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/error.h"
#include "base/files.h"
#include "numeric/float16.h"

namespace twofold {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 64;  // NumPy's own limit
constexpr size_t kDataAlignment = 64;
// Elements that are converted at once; a job can be cancelled in between.
constexpr size_t kBlock = size_t{1} << 20;

struct NumpyType {
  std::string_view code;  // without the byte order
  DType dtype;
};
constexpr NumpyType kTypes[] = {
    {"f4", DType::kFloat32}, {"f8", DType::kFloat64}, {"f2", DType::kFloat16}, {"i1", DType::kInt8},
    {"i2", DType::kInt16},   {"i4", DType::kInt32},   {"i8", DType::kInt64},   {"u1", DType::kUInt8},
    {"u2", DType::kUInt16},  {"u4", DType::kUInt32},  {"u8", DType::kUInt64},  {"b1", DType::kBool},
};

// Reads the header's text: a Python dict literal with the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !has_descr) {
        has_descr = true;
        parse_descr(header);
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        header.fortran_order = boolean();
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        header.shape = tuple();
      } else {
        fail("an unexpected key in the header");
      }
      if (!accept(',') && peek() != '}') fail("a header that is not a Python dict");
    }
    if (!has_descr || !has_order || !has_shape) fail("a header without descr, fortran_order or shape");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw_error(ErrorCode::kInvalidArgument, "'{}' is not a valid .npy file: it has {}", source_, what);
  }

  char peek() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++position_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail("a header that is not a Python dict");
  }

  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a header that is not a Python dict");
    const size_t start = ++position_;
    const size_t end = text_.find(quote, start);
    if (end == std::string_view::npos) fail("a string without an end in the header");
    position_ = end + 1;
    return text_.substr(start, end - start);
  }

  bool boolean() {
    peek();
    for (const std::string_view word : {"True", "False"}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return word == "True";
      }
    }
    fail("a fortran_order that is neither True nor False");
  }

  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      peek();
      int64_t dim = -1;
      const char* begin = text_.data() + position_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), dim);
      if (error != std::errc() || dim < 0 || shape.size() == kMaxRank) fail("an invalid shape");
      position_ += static_cast<size_t>(end - begin);
      accept('L');  // Python 2 wrote long integers so
      shape.push_back(dim);
      if (!accept(',') && peek() != ')') fail("an invalid shape");
    }
    return shape;
  }

  void parse_descr(NpyHeader& header) {
    if (peek() == '[') {
      throw_error(ErrorCode::kUnsupported, "'{}' holds records; save each field as an array of its own", source_);
    }
    const std::string_view descr = quoted();
    const std::string_view code = descr.substr(std::min<size_t>(1, descr.size()));
    const char order = descr.empty() ? '\0' : descr[0];
    const auto* type = std::ranges::find(kTypes, code, &NumpyType::code);
    if (type == std::end(kTypes) || std::string_view("<>=|").find(order) == std::string_view::npos) {
      throw_error(ErrorCode::kUnsupported,
                  "'{}' holds elements of NumPy type '{}'; save it as float32 or an integer type", source_, descr);
    }
    header.dtype = type->dtype;
    const char foreign = std::endian::native == std::endian::little ? '>' : '<';
    header.swapped = order == foreign && byte_size(header.dtype) > 1;
  }

  std::string_view text_;
  const std::string& source_;
  size_t position_ = 0;
};

template <typename T>
T swap_bytes(T value) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::ranges::reverse(bytes);
  return std::bit_cast<T>(bytes);
}

// Writes `data`, whose strides are those of the header's order, in row-major order.
template <typename T>
void convert(const NpyHeader& header, std::span<const std::byte> data, T* out) {
  const size_t rank = header.shape.size();
  TWOFOLD_CHECK(rank <= kMaxRank);
  std::array<int64_t, kMaxRank> strides, index{};
  strides.fill(1);
  for (size_t i = 1; i < rank; ++i) {
    if (header.fortran_order) {
      strides[i] = strides[i - 1] * header.shape[i - 1];
    } else {
      strides[rank - 1 - i] = strides[rank - i] * header.shape[rank - i];
    }
  }
  int64_t offset = 0;
  for (size_t i = 0; i < data.size() / sizeof(T); ++i) {
    if (i % kBlock == 0) throw_if_cancelled();
    T value;
    std::memcpy(&value, data.data() + static_cast<size_t>(offset) * sizeof(T), sizeof(T));
    out[i] = header.swapped ? swap_bytes(value) : value;
    for (size_t axis = rank; axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < header.shape[axis]) break;
      offset -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

Tensor widened_bfloat16(const Tensor& tensor) {
  Tensor result(DType::kFloat32, tensor.shape());
  const std::span<const uint16_t> in = tensor.data<uint16_t>();
  const std::span<float> out = result.mutable_data<float>();
  std::ranges::transform(in, out.begin(), bfloat16_to_float);
  return result;
}

}  // namespace

size_t NpyHeader::data_size() const { return static_cast<size_t>(num_elements(shape)) * byte_size(dtype); }

NpyHeader parse_npy_header(std::span<const std::byte> file, const std::string& source) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto byte_at = [&](size_t i) { return static_cast<size_t>(std::to_integer<uint8_t>(file[i])); };
  if (!text.starts_with(kMagic) || file.size() < 10) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' is not an .npy file", source);
  }
  const size_t version = byte_at(6);
  if (version < 1 || version > 3) {
    throw_error(ErrorCode::kUnsupported, "'{}' is an .npy file of version {}; 1 to 3 are read", source, version);
  }
  const size_t start = version == 1 ? 10 : 12;
  if (file.size() < start) throw_error(ErrorCode::kInvalidArgument, "'{}' ends inside its .npy header", source);
  size_t length = byte_at(8) | byte_at(9) << 8;
  if (version > 1) length |= byte_at(10) << 16 | byte_at(11) << 24;
  if (length > std::min(file.size(), kMaxNpyHeader) - start) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' ends inside its .npy header", source);
  }
  NpyHeader header = HeaderParser(text.substr(start, length), source).parse();
  header.data_offset = start + length;
  try {
    if (num_elements(header.shape) <= std::numeric_limits<int64_t>::max() / 8) return header;
  } catch (const Error&) {  // the number of elements does not fit an int64_t
  }
  throw_error(ErrorCode::kResourceExhausted, "'{}': shape {} has too many elements", source, to_string(header.shape));
}

Tensor convert_npy_data(const NpyHeader& header, std::span<const std::byte> data) {
  TWOFOLD_CHECK(data.size() == header.data_size());
  Tensor result(header.dtype, header.shape);
  if (data.empty()) return result;
  std::byte* out = result.mutable_bytes();
  switch (byte_size(header.dtype)) {
    case 1: convert(header, data, reinterpret_cast<uint8_t*>(out)); break;
    case 2: convert(header, data, reinterpret_cast<uint16_t*>(out)); break;
    case 4: convert(header, data, reinterpret_cast<uint32_t*>(out)); break;
    default: convert(header, data, reinterpret_cast<uint64_t*>(out)); break;
  }
  return result;
}

Tensor parse_npy(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& source) {
  const NpyHeader header = parse_npy_header(file, source);
  const size_t size = header.data_size();
  if (size > file.size() - header.data_offset) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' is truncated: {}{} takes {} bytes, but {} are there", source,
                to_string(header.dtype), to_string(header.shape), size, file.size() - header.data_offset);
  }
  const std::span<const std::byte> data = file.subspan(header.data_offset, size);
  if (!header.is_native()) return convert_npy_data(header, data);
  if (reinterpret_cast<uintptr_t>(data.data()) % kDataAlignment == 0) {
    return Tensor::wrap(header.dtype, header.shape, data.data(), std::move(owner));
  }
  Tensor copy(header.dtype, header.shape);
  if (size > 0) std::memcpy(copy.mutable_bytes(), data.data(), size);
  return copy;
}

Tensor load_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return parse_npy(file->bytes(), file, path.string());
}

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  TWOFOLD_CHECK(tensor.defined() && tensor.layout() == Layout::kPlain);
  if (tensor.dtype() == DType::kBFloat16) return save_npy(path, widened_bfloat16(tensor));
  const auto* type = std::ranges::find(kTypes, tensor.dtype(), &NumpyType::dtype);
  const char native = std::endian::native == std::endian::little ? '<' : '>';
  const char order = byte_size(tensor.dtype()) == 1 ? '|' : native;
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", order, type->code,
                                   fmt::join(tensor.shape(), ", "), tensor.rank() == 1 ? "," : "");
  constexpr size_t kPrefix = 10;
  const size_t unpadded = kPrefix + header.size() + 1;
  header.append((kDataAlignment - unpadded % kDataAlignment) % kDataAlignment, ' ');
  header += '\n';
  std::string prefix(kMagic);
  prefix += {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  AtomicFile file(path);
  file.write(prefix.data(), prefix.size());
  file.write(header.data(), header.size());
  file.write(tensor.bytes(), tensor.byte_size());
  file.commit();
}

}  // namespace twofold
