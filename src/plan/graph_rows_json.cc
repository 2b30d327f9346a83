// Rows of a graph as JSON.
#include <array>
#include <span>

#include "plan/json_reader.h"
#include "twofold/graph_rows.h"

namespace twofold {

namespace {

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

std::string read_text(const JsonReader& reader) { return reader.text(); }

std::vector<std::string> read_texts(const JsonReader& reader) { return reader.list(read_text); }

DType read_dtype(const JsonReader& reader) { return reader.word(std::span<const DType>(kDTypes)); }

AttributeValue read_attribute(const JsonReader& reader) {
  const Json& json = reader.json();
  if (json.is_number_integer()) return reader.integer();
  if (json.is_number()) return reader.number();
  if (json.is_string()) return reader.text();
  const auto all = [&json](auto is) { return std::all_of(json.begin(), json.end(), is); };
  if (!json.is_array()) reader.fail("must be a number, a text, or a list of one of them");
  if (!json.empty() && all([](const Json& item) { return item.is_string(); })) return read_texts(reader);
  if (all([](const Json& item) { return item.is_number_integer(); })) {
    return reader.list([](const JsonReader& item) { return item.integer(); });
  }
  return reader.list([](const JsonReader& item) { return item.number(); });
}

[[noreturn]] void fail_unknown(const JsonReader& reader, std::string_view known) {
  reader.fail(fmt::format("unknown key; there are {}", known));
}

GraphTensorRow read_tensor(const JsonReader& reader) {
  GraphTensorRow row;
  reader.entries([&row](const std::string& key, const JsonReader& value) {
    if (key == "name") {
      row.name = value.text();
    } else if (key == "dtype") {
      row.dtype = read_dtype(value);
    } else if (key == "shape") {
      row.shape = value.list([](const JsonReader& dim) { return dim.integer(); });
    } else {
      fail_unknown(value, "name, dtype, shape");
    }
  });
  return row;
}

GraphOutputRow read_output(const JsonReader& reader) {
  if (reader.json().is_string()) return {reader.text(), reader.text()};
  GraphOutputRow row;
  reader.entries([&row](const std::string& key, const JsonReader& value) {
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

GraphNodeRow read_node(const JsonReader& reader) {
  GraphNodeRow row;
  reader.entries([&row](const std::string& key, const JsonReader& value) {
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
      value.entries([&row](const std::string& name, const JsonReader& attribute) {
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
  JsonReader(json, label).entries([&rows](const std::string& key, const JsonReader& value) {
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
