#include "wire/startup.h"

#include <gtest/gtest.h>

#include "wire/message_builder.h"

namespace pgvalet::wire {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string Packet(std::uint32_t code, std::string_view rest = {}) {
  std::string out;
  AppendU32(out, static_cast<std::uint32_t>(8 + rest.size()));
  AppendU32(out, code);
  out.append(rest);
  return out;
}

Result<StartupPacket> Parse(const std::string& packet) { return ParseStartup(AsBytes(packet)); }

constexpr std::uint32_t kV3 = 3 << 16;

TEST(StartupTest, ReadsWhatTheBuilderWrites) {
  const Parameters parameters = {{"user", "mia"}, {"database", "shop"}, {"options", "-c a=b"}};
  std::string packet;
  AppendStartup(packet, parameters);

  const auto startup = Parse(packet);

  ASSERT_TRUE(startup.has_value());
  EXPECT_EQ(startup->kind, StartupKind::kStartup);
  EXPECT_EQ(startup->major, 3);
  EXPECT_EQ(startup->minor, 0);
  EXPECT_EQ(startup->parameters, parameters);
  EXPECT_EQ(startup->Find("database"), "shop");
  EXPECT_EQ(startup->Find("absent"), "");
  EXPECT_EQ(StartupLength(AsBytes(packet)).value(), packet.size());
}

TEST(StartupTest, KeepsMinorVersionAndProtocolOptionsApart) {
  const auto startup = Parse(Packet(kV3 | 2, std::string_view("user\0u\0_pq_.x\0on\0\0", 18)));

  ASSERT_TRUE(startup.has_value());
  EXPECT_EQ(startup->minor, 2);
  EXPECT_EQ(startup->parameters, (Parameters{{"user", "u"}}));
  EXPECT_EQ(startup->protocol_options, std::vector<std::string>{"_pq_.x"});
}

TEST(StartupTest, ReadsEncryptionRequests) {
  EXPECT_EQ(Parse(Packet(80877103))->kind, StartupKind::kSslRequest);
  EXPECT_EQ(Parse(Packet(80877104))->kind, StartupKind::kGssEncRequest);
}

TEST(StartupTest, ReadsCancelRequestsWithSecretsOfAnyAllowedLength) {
  for (std::size_t bytes : {4, 32, 256}) {
    std::string packet;
    AppendCancelRequest(packet, 77, std::string(bytes, 's'));

    const auto request = Parse(packet);

    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->kind, StartupKind::kCancelRequest);
    EXPECT_EQ(request->cancel_pid, 77u);
    EXPECT_EQ(request->cancel_secret, std::string(bytes, 's'));
  }
}

TEST(StartupTest, LengthIsUnknownBeforeFourBytes) {
  EXPECT_EQ(StartupLength(AsBytes("")).value(), 0u);
  EXPECT_EQ(StartupLength(AsBytes("\x7f\x7f\x7f")).value(), 0u);
}

TEST(StartupTest, RefusesLengthsThatNoPacketHas) {
  for (std::uint32_t length : {0u, 7u, kMaxStartupBytes + 1, 0xffffffffu}) {
    std::string packet;
    AppendU32(packet, length);
    EXPECT_FALSE(StartupLength(AsBytes(packet)).has_value()) << length;
  }
  // As the first bytes of an HTTP or TLS client.
  EXPECT_FALSE(StartupLength(AsBytes("GET / HTTP/1.1")).has_value());
  EXPECT_FALSE(StartupLength(AsBytes("\x16\x03\x01\x02")).has_value());
}

struct MalformedStartupTest : testing::TestWithParam<std::string> {};

TEST_P(MalformedStartupTest, IsAProtocolError) {
  const auto startup = Parse(GetParam());

  ASSERT_FALSE(startup.has_value());
  EXPECT_EQ(startup.error().code, ErrorCode::kProtocol);
}

INSTANTIATE_TEST_SUITE_P(
    Startup, MalformedStartupTest,
    testing::Values("", "abc", Packet(kV3),                        // not terminated
                    Packet(kV3, "user"),                           // name not terminated
                    Packet(kV3, std::string_view("user\0u", 6)),   // value not terminated
                    Packet(kV3, std::string_view("\0more", 5)),    // bytes behind the end
                    Packet(2 << 16, std::string_view("\0", 1)),    // version 2
                    Packet(4 << 16, std::string_view("\0", 1)),    // version 4
                    Packet(80877103, "x"),                         // SSLRequest with a body
                    Packet(80877102, "abc"),                       // cancel without a whole pid
                    Packet(80877102, "abcd"),                      // cancel without a secret
                    Packet(80877102, std::string(4 + 257, 'x')),   // too long a secret
                    Packet(kV3, std::string_view("\0", 1)) + "x")  // length of another packet
);

}  // namespace
}  // namespace pgvalet::wire
