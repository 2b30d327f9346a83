// Rows of a graph as JSON.
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "twofold/graph_rows.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kDTypes = {DType::kFloat32, DType::kUInt8,  DType::kInt8,    DType::kUInt16,  DType::kInt16,
                                DType::kInt32,   DType::kInt64,  DType::kBool,    DType::kFloat16, DType::kFloat64,
                                DType::kUInt32,  DType::kUInt64, DType::kBFloat16};

Json to_json(const GraphTensorRow& row) {
  Json json = {{"name", row.name}};
  if (row.dtype != DType::kUndefined) json["dtype"] = to_string(row.dtype);
  if (row.shape) json["shape"] = *row.shape;
  return json;
}

Json to_json(const GraphOutputRow& row) { return {{"name", row.name}, {"tensor", row.tensor}}; }

Json to_json(const GraphNodeRow& row) {
  Json json = {{"name", row.name}, {"op_type", row.op_type}};
  if (!row.domain.empty()) json["domain"] = row.domain;
  json["inputs"] = row.inputs;
  json["outputs"] = row.outputs;
  for (const auto& [name, value] : row.attributes) {
    std::visit([&json, &name = name](const auto& held) { json["attributes"][name] = held; }, value);
  }
  if (!row.origins.empty()) json["origins"] = row.origins;
  return json;
}

// A value of the text and where it stands, for messages.
class Reader {
 public:
  Reader(const Json& json, std::string_view label, std::string path)
      : json_(json), label_(label), path_(std::move(path)) {}

  [[noreturn]] void fail(std::string_view what) const {
    throw_error(ErrorCode::kInvalidArgument, "{}: {}{}{}", label_, path_, path_.empty() ? "" : ": ", what);
  }
  const Json& json() const { return json_; }

  // Calls `read` with the name and the reader of every entry of a map.
  template <typename Read>
  void entries(const Read& read) const {
    if (!json_.is_object()) fail("must be a map");
    for (const auto& [key, value] : json_.items()) {
      read(key, Reader(value, label_, path_.empty() ? key : path_ + "." + key));
    }
  }
  template <typename Read>
  auto list(const Read& read) const {
    if (!json_.is_array()) fail("must be a list");
    std::vector<decltype(read(*this))> result;
    for (const Json& item : json_) {
      result.push_back(read(Reader(item, label_, fmt::format("{}[{}]", path_, result.size()))));
    }
    return result;
  }
  std::string text() const {
    if (!json_.is_string()) fail("must be a text");
    return json_.get<std::string>();
  }
  int64_t integer() const {
    if (!json_.is_number_integer()) fail("must be an integer");
    return json_.get<int64_t>();
  }
  double number() const {
    if (!json_.is_number()) fail("must be a number");
    return json_.get<double>();
  }

 private:
  const Json& json_;
  std::string_view label_;
  std::string path_;
};

std::string read_text(const Reader& reader) { return reader.text(); }

std::vector<std::string> read_texts(const Reader& reader) { return reader.list(read_text); }

DType read_dtype(const Reader& reader) {
  const std::string name = reader.text();
  std::vector<std::string_view> known;
  for (const DType dtype : kDTypes) {
    if (to_string(dtype) == name) return dtype;
    known.push_back(to_string(dtype));
  }
  reader.fail(fmt::format("must be {}, not '{}'", fmt::join(known, ", "), name.substr(0, 60)));
}

AttributeValue read_attribute(const Reader& reader) {
  const Json& json = reader.json();
  if (json.is_number_integer()) return reader.integer();
  if (json.is_number()) return reader.number();
  if (json.is_string()) return reader.text();
  const auto all = [&json](auto is) { return std::all_of(json.begin(), json.end(), is); };
  if (!json.is_array()) reader.fail("must be a number, a text, or a list of one of them");
  if (!json.empty() && all([](const Json& item) { return item.is_string(); })) return read_texts(reader);
  if (all([](const Json& item) { return item.is_number_integer(); })) {
    return reader.list([](const Reader& item) { return item.integer(); });
  }
  return reader.list([](const Reader& item) { return item.number(); });
}

[[noreturn]] void fail_unknown(const Reader& reader, std::string_view known) {
  reader.fail(fmt::format("unknown key; there are {}", known));
}

GraphTensorRow read_tensor(const Reader& reader) {
  GraphTensorRow row;
  reader.entries([&row](const std::string& key, const Reader& value) {
    if (key == "name") {
      row.name = value.text();
    } else if (key == "dtype") {
      row.dtype = read_dtype(value);
    } else if (key == "shape") {
      row.shape = value.list([](const Reader& dim) { return dim.integer(); });
    } else {
      fail_unknown(value, "name, dtype, shape");
    }
  });
  return row;
}

GraphOutputRow read_output(const Reader& reader) {
  if (reader.json().is_string()) return {reader.text(), reader.text()};
  GraphOutputRow row;
  reader.entries([&row](const std::string& key, const Reader& value) {
    if (key == "name") {
      row.name = value.text();
    } else if (key == "tensor") {
      row.tensor = value.text();
    } else {
      fail_unknown(value, "name, tensor");
    }
  });
  return row;
}

GraphNodeRow read_node(const Reader& reader) {
  GraphNodeRow row;
  reader.entries([&row](const std::string& key, const Reader& value) {
    if (key == "name") {
      row.name = value.text();
    } else if (key == "op_type") {
      row.op_type = value.text();
    } else if (key == "domain") {
      row.domain = value.text();
    } else if (key == "inputs") {
      row.inputs = read_texts(value);
    } else if (key == "outputs") {
      row.outputs = read_texts(value);
    } else if (key == "attributes") {
      value.entries([&row](const std::string& name, const Reader& attribute) {
        row.attributes.emplace(name, read_attribute(attribute));
      });
    } else if (key == "origins") {
      row.origins = read_texts(value);
    } else {
      fail_unknown(value, "name, op_type, domain, inputs, outputs, attributes, origins");
    }
  });
  return row;
}

}  // namespace

std::string to_json(const GraphRows& rows) {
  const auto list = [](const auto& items) {
    Json json = Json::array();
    for (const auto& item : items) json.push_back(to_json(item));
    return json;
  };
  const Json json = {{"inputs", list(rows.inputs)},
                     {"outputs", list(rows.outputs)},
                     {"constants", list(rows.constants)},
                     {"tensors", list(rows.tensors)},
                     {"nodes", list(rows.nodes)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

GraphRows rows_from_json(std::string_view text, std::string_view label) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw_error(ErrorCode::kInvalidArgument, "{}: no JSON: {}", label, error.what());
  }
  GraphRows rows;
  Reader(json, label, "").entries([&rows](const std::string& key, const Reader& value) {
    if (key == "inputs") {
      rows.inputs = value.list(read_tensor);
    } else if (key == "outputs") {
      rows.outputs = value.list(read_output);
    } else if (key == "constants") {
      rows.constants = value.list(read_tensor);
    } else if (key == "tensors") {
      rows.tensors = value.list(read_tensor);
    } else if (key == "nodes") {
      rows.nodes = value.list(read_node);
    } else {
      fail_unknown(value, "inputs, outputs, constants, tensors, nodes");
    }
  });
  return rows;
}

}  // namespace twofold
