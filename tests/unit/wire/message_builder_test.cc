// What the builder writes, the reader reads.
#include "wire/message_builder.h"

#include <gtest/gtest.h>

#include "wire/body_reader.h"
#include "wire/error_fields.h"

namespace pgvalet::wire {
namespace {

struct MessageBuilderTest : testing::Test {
  // The body of the only message in `out`, whose type and length have to be right.
  BodyReader Only(char type) {
    EXPECT_GE(out.size(), kHeaderBytes);
    const Header header = LoadHeader(reinterpret_cast<const std::uint8_t*>(out.data()));
    EXPECT_EQ(header.type, type);
    EXPECT_EQ(header.total(), out.size());
    EXPECT_EQ(header.body(), out.size() - kHeaderBytes);
    EXPECT_TRUE(HeaderIsSane(header, 1 << 20));
    return BodyReader(AsBytes(out).subspan(kHeaderBytes));
  }

  std::string out;
};

TEST_F(MessageBuilderTest, NumbersAreBigEndian) {
  AppendU16(out, 0x0102);
  AppendU32(out, 0x80818283);
  BodyReader reader(AsBytes(out));

  EXPECT_EQ(out, "\x01\x02\x80\x81\x82\x83");
  EXPECT_EQ(reader.TakeU16(), 0x0102);
  EXPECT_EQ(reader.TakeU32(), 0x80818283u);
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST_F(MessageBuilderTest, StringEndsAtItsFirstZero) {
  AppendString(out, std::string_view("ab\0cd", 5));

  EXPECT_EQ(out, std::string("ab\0", 3));
}

TEST_F(MessageBuilderTest, ErrorHasAllFieldsThatAreNotEmpty) {
  AppendErrorResponse(out, {"FATAL", "57P01", "going", "because", "come back"});
  Only('E');

  const ErrorFields fields = ParseErrorFields(AsBytes(out).subspan(kHeaderBytes));

  EXPECT_EQ(fields.severity, "FATAL");
  EXPECT_EQ(fields.sqlstate, "57P01");
  EXPECT_EQ(fields.message, "going");
  EXPECT_EQ(fields.detail, "because");
  EXPECT_EQ(fields.hint, "come back");
}

TEST_F(MessageBuilderTest, NoticeWithoutDetailHasNoDetailField) {
  AppendNoticeResponse(out, {"NOTICE", "00000", "look"});

  BodyReader reader = Only('N');

  EXPECT_EQ(AsText(reader.rest()), std::string_view("SNOTICE\0VNOTICE\0C00000\0Mlook\0\0", 30));
}

TEST_F(MessageBuilderTest, AuthenticationOkIsZero) {
  AppendAuthenticationOk(out);

  BodyReader reader = Only('R');
  EXPECT_EQ(reader.TakeU32(), 0u);
  EXPECT_TRUE(reader.at_end());
}

TEST_F(MessageBuilderTest, ParameterStatusIsNameAndValue) {
  AppendParameterStatus(out, "TimeZone", "UTC");

  BodyReader reader = Only('S');
  EXPECT_EQ(reader.TakeString(), "TimeZone");
  EXPECT_EQ(reader.TakeString(), "UTC");
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST_F(MessageBuilderTest, KeyDataIsPidAndSecret) {
  AppendBackendKeyData(out, 5, "secret");

  BodyReader reader = Only('K');
  EXPECT_EQ(reader.TakeU32(), 5u);
  EXPECT_EQ(AsText(reader.rest()), "secret");
}

TEST_F(MessageBuilderTest, ReadyForQueryIsOneByte) {
  AppendReadyForQuery(out, TxStatus::kFailed);

  BodyReader reader = Only('Z');
  EXPECT_EQ(reader.TakeByte(), 'E');
  EXPECT_TRUE(reader.at_end());
}

TEST_F(MessageBuilderTest, NegotiationNamesWhatIsNotUnderstood) {
  AppendNegotiateProtocolVersion(out, 3 << 16, {"_pq_.a", "_pq_.b"});

  BodyReader reader = Only('v');
  EXPECT_EQ(reader.TakeU32(), 3u << 16);
  EXPECT_EQ(reader.TakeU32(), 2u);
  EXPECT_EQ(reader.TakeString(), "_pq_.a");
  EXPECT_EQ(reader.TakeString(), "_pq_.b");
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST_F(MessageBuilderTest, MessagesWithoutBodyAreHeadersOnly) {
  AppendParseComplete(out);
  AppendCloseComplete(out);
  AppendSync(out);
  AppendTerminate(out);

  EXPECT_EQ(out, std::string("1\0\0\0\4"
                             "3\0\0\0\4"
                             "S\0\0\0\4"
                             "X\0\0\0\4",
                             20));
}

TEST_F(MessageBuilderTest, QueryAndParseAndCloseHoldTheirTexts) {
  AppendQuery(out, "select 1");
  EXPECT_EQ(Only('Q').TakeString(), "select 1");

  out.clear();
  AppendParse(out, "name", std::string_view("select 1\0\0\0", 11));
  BodyReader parse = Only('P');
  EXPECT_EQ(parse.TakeString(), "name");
  EXPECT_EQ(parse.TakeString(), "select 1");
  EXPECT_EQ(parse.TakeU16(), 0);

  out.clear();
  AppendCloseStatement(out, "name");
  BodyReader close = Only('C');
  EXPECT_EQ(close.TakeByte(), 'S');
  EXPECT_EQ(close.TakeString(), "name");
}

TEST_F(MessageBuilderTest, QueryWithParametersIsFourMessages) {
  AppendQueryWithParameters(out, "select $1, $2", {"one", ""});

  std::string types;
  std::string bind;
  for (std::size_t at = 0; at < out.size();) {
    const Header header = LoadHeader(reinterpret_cast<const std::uint8_t*>(out.data() + at));
    types.push_back(header.type);
    if (header.type == 'B') bind = out.substr(at + kHeaderBytes, header.body());
    at += header.total();
  }
  EXPECT_EQ(types, "PBES");
  BodyReader reader(AsBytes(bind));
  EXPECT_EQ(reader.TakeString(), "");
  EXPECT_EQ(reader.TakeString(), "");
  EXPECT_EQ(reader.TakeU16(), 0);
  EXPECT_EQ(reader.TakeU16(), 2);
  EXPECT_EQ(AsText(reader.TakeBytes(reader.TakeU32())), "one");
  EXPECT_EQ(AsText(reader.TakeBytes(reader.TakeU32())), "");
  EXPECT_EQ(reader.TakeU16(), 0);
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST_F(MessageBuilderTest, AppendsBehindWhatIsThere) {
  AppendSync(out);
  const std::size_t mark = BeginMessage(out, 'd');
  out.append("data");
  EndMessage(out, mark);

  EXPECT_EQ(out.substr(5), std::string("d\0\0\0\x8"
                                       "data",
                                       9));
}

TEST(BodyReaderTest, FailsSoftlyAndForGood) {
  BodyReader reader(AsBytes("ab"));

  EXPECT_EQ(reader.TakeU32(), 0u);

  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.TakeByte(), 0);
  EXPECT_EQ(reader.TakeU16(), 0);
  EXPECT_EQ(reader.TakeString(), "");
  EXPECT_TRUE(reader.TakeBytes(1).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(BodyReaderTest, StringWithoutZeroIsAFailure) {
  BodyReader reader(AsBytes("abc"));
  EXPECT_EQ(reader.TakeString(), "");
  EXPECT_FALSE(reader.ok());

  BodyReader empty{Bytes()};
  EXPECT_EQ(empty.TakeString(), "");
  EXPECT_FALSE(empty.ok());
}

TEST(HeaderTest, LengthIsCheckedAgainstBothBounds) {
  EXPECT_FALSE(HeaderIsSane({'Q', 3}, 100));
  EXPECT_TRUE(HeaderIsSane({'Q', 4}, 100));
  EXPECT_TRUE(HeaderIsSane({'Q', 100}, 100));
  EXPECT_FALSE(HeaderIsSane({'Q', 101}, 100));
}

}  // namespace
}  // namespace pgvalet::wire
