#include "notify/notification.h"

#include <gtest/gtest.h>

#include <string>

#include "notify/sql.h"
#include "wire/message_builder.h"

namespace pgvalet::notify {
namespace {

std::string Body(std::string_view channel, std::string_view payload) {
  std::string body;
  wire::AppendU32(body, 4711);
  wire::AppendString(body, channel);
  wire::AppendString(body, payload);
  return body;
}

TEST(NotificationTest, FieldsAreThoseOfTheMessage) {
  std::string message;
  wire::AppendMessage(message, 'A', wire::AsBytes(Body("orders", std::string(7999, 'x'))));

  const Notification notification(wire::AsBytes(message));

  EXPECT_EQ(notification.message(), message);
  EXPECT_EQ(notification.sender_pid(), 4711u);
  EXPECT_EQ(notification.channel(), "orders");
  EXPECT_EQ(notification.payload(), std::string(7999, 'x'));
}

TEST(NotificationTest, CopiesShareTheirBytes) {
  std::string message;
  wire::AppendMessage(message, 'A', wire::AsBytes(Body("orders", "1")));
  const Notification one(wire::AsBytes(message));

  const Notification other = one;  // NOLINT: a copy on purpose

  EXPECT_EQ(one.message().data(), other.message().data());
}

TEST(NotificationTest, MalformedBodiesAreRecognized) {
  const std::string good = Body("orders", "1");
  EXPECT_TRUE(ParseNotification(wire::AsBytes(good)));

  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(ParseNotification(wire::AsBytes(good.substr(0, length)))) << length;
  }
  EXPECT_FALSE(ParseNotification(wire::AsBytes(good + "x")));
  EXPECT_FALSE(ParseNotification(wire::AsBytes(Body("", "1"))));
}

TEST(NotificationTest, NamesAreQuotedWhateverTheyHold) {
  EXPECT_EQ(ListenSql("orders"), "LISTEN \"orders\"");
  EXPECT_EQ(UnlistenSql("My \"own\"; --"), "UNLISTEN \"My \"\"own\"\"; --\"");
  EXPECT_EQ(NotifySql("m\"", "1.2"), "NOTIFY \"m\"\"\", '1.2';");
}

}  // namespace
}  // namespace pgvalet::notify
