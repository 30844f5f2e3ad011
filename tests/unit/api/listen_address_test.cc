#include "api/listen_address.h"

#include <gtest/gtest.h>

namespace pgvalet::api {
namespace {

TEST(ListenAddressTest, UnderstandsNamesAndBothKindsOfAddresses) {
  for (const char* text : {"localhost:6544", "127.0.0.1:0", "[::1]:6544", "*:65535"}) {
    const Result<ListenAddress> address = ParseListenAddress(text);

    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(ListenAddressTest, TakesTheBracketsOffAnIpv6Address) {
  const Result<ListenAddress> address = ParseListenAddress("[fe80::1]:1");

  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "fe80::1");
  EXPECT_EQ(address->port, 1);
}

TEST(ListenAddressTest, UnderstandsAUnixSocket) {
  const Result<ListenAddress> address = ParseListenAddress("unix:/run/pgvalet/grpc.sock");

  ASSERT_TRUE(address);
  EXPECT_EQ(address->unix_path, "/run/pgvalet/grpc.sock");
  EXPECT_EQ(address->ToString(), "unix:/run/pgvalet/grpc.sock");
}

TEST(ListenAddressTest, SaysWhatWasExpectedOfWhatItCannotRead) {
  for (const char* text :
       {"", "6544", ":6544", "localhost", "localhost:", "localhost:65536", "localhost:-1",
        "localhost:12a", "::1:6544", "[]:1", "unix:", "unix:x"}) {
    const Result<ListenAddress> address = ParseListenAddress(text);

    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalidSetting);
    EXPECT_NE(address.error().detail.find("expected host:port"), std::string::npos);
  }
}

}  // namespace
}  // namespace pgvalet::api
