#include "wire/row_shape.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/message_builder.h"

namespace pgvalet::wire {
namespace {

struct Column {
  std::string name;
  std::uint32_t type;
  std::uint32_t modifier = 0xffffffff;
  std::uint16_t format = 0;
  std::uint32_t table = 1;
};

std::string BodyOf(const std::vector<Column>& columns) {
  std::string body;
  AppendU16(body, static_cast<std::uint16_t>(columns.size()));
  for (const Column& column : columns) {
    AppendString(body, column.name);
    AppendU32(body, column.table);
    AppendU16(body, 1);
    AppendU32(body, column.type);
    AppendU16(body, 4);
    AppendU32(body, column.modifier);
    AppendU16(body, column.format);
  }
  return body;
}

RowShape Shape(const std::vector<Column>& columns) {
  const std::string body = BodyOf(columns);
  return ShapeOf(AsBytes(body));
}

TEST(RowShapeTest, NamesTypesAndModifiersCount) {
  const RowShape shape = Shape({{"a", 23}, {"b", 25}});

  EXPECT_EQ(shape, Shape({{"a", 23}, {"b", 25}}));
  EXPECT_NE(shape, Shape({{"a", 23}}));
  EXPECT_NE(shape, Shape({{"b", 25}, {"a", 23}}));
  EXPECT_NE(shape, Shape({{"a", 23}, {"c", 25}}));
  EXPECT_NE(shape, Shape({{"a", 20}, {"b", 25}}));
  EXPECT_NE(shape, Shape({{"a", 23, 4}, {"b", 25}}));
  EXPECT_NE(shape, kUnknownShape);
  EXPECT_NE(shape, kNoRows);
}

TEST(RowShapeTest, FormatsAndTablesDoNotCount) {
  EXPECT_EQ(Shape({{"a", 23}}), Shape({{"a", 23, 0xffffffff, 1, 99}}));
}

TEST(RowShapeTest, ColumnsDoNotRunTogether) {
  EXPECT_NE(Shape({{"ab", 23}, {"c", 23}}), Shape({{"a", 23}, {"bc", 23}}));
}

TEST(RowShapeTest, WhatHasNotTheFormIsUnknown) {
  const std::string body = BodyOf({{"a", 23}, {"b", 25}});
  for (std::size_t length = 0; length < body.size(); ++length) {
    EXPECT_EQ(ShapeOf(AsBytes(body).first(length)), kUnknownShape) << length;
  }
  const std::string longer = body + "x";
  EXPECT_EQ(ShapeOf(AsBytes(longer)), kUnknownShape);
}

}  // namespace
}  // namespace pgvalet::wire
