#include "api/snapshot_proto.h"

#include <gtest/gtest.h>

#include <string>

#include "example_snapshot.h"

namespace pgvalet::api {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Names of fields, in the message and below, that hold no value.  Extension.reason is empty
// when the extension is available; and an example is never unspecified.
void CollectEmpty(const Message& message, std::string& empty) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field->is_repeated()) {
      if (reflection->FieldSize(message, field) == 0) empty += field->full_name() + "\n";
      for (int j = 0; is_message && j < reflection->FieldSize(message, field); ++j) {
        CollectEmpty(reflection->GetRepeatedMessage(message, field, j), empty);
      }
    } else if (!reflection->HasField(message, field)) {
      empty += field->full_name() + "\n";
    } else if (is_message && field->message_type()->full_name().starts_with("pgvalet.v1.")) {
      CollectEmpty(reflection->GetMessage(message, field), empty);
    }
  }
}

v1::Snapshot ProtoOf(const stats::Snapshot& snapshot) {
  v1::Snapshot message;
  FillProto(snapshot, message);
  return message;
}

TEST(SnapshotProtoTest, FillsEveryFieldOfTheMessage) {
  std::string empty;

  CollectEmpty(ProtoOf(*ExampleSnapshot()), empty);

  EXPECT_EQ(empty, "pgvalet.v1.Extension.reason\n");
}

TEST(SnapshotProtoTest, KeepsTheMicrosecondsOfATime) {
  const v1::Snapshot message = ProtoOf(*ExampleSnapshot());

  EXPECT_EQ(message.time().seconds(), 1'700'000'060);
  EXPECT_EQ(message.time().nanos(), 250'000'000);
}

TEST(SnapshotProtoTest, LeavesATimeThatIsNotKnownAbsent) {
  const auto snapshot = ExampleSnapshot();
  snapshot->agent.status.settings_loaded_at = {};

  EXPECT_FALSE(ProtoOf(*snapshot).agent().has_settings_loaded_at());
}

TEST(SnapshotProtoTest, SendsOnlyBucketsThatHoldSomething) {
  const v1::Histogram wait = ProtoOf(*ExampleSnapshot()).pools(0).totals().wait_time();

  ASSERT_EQ(wait.upper_bound_us_size(), 2);
  EXPECT_EQ(wait.bucket_count(0), 1);
  EXPECT_GE(wait.upper_bound_us(0), 100);
  EXPECT_GE(wait.upper_bound_us(1), 100'000);
  EXPECT_EQ(wait.sum_us(), 100'100);
}

TEST(SnapshotProtoTest, SaysWhyTheExtensionCannotBeRead) {
  const auto snapshot = ExampleSnapshot();
  auto sample = std::make_shared<stats::ExtensionSample>();
  sample->reason = "The extension is not installed.";
  snapshot->extension = sample;

  const v1::Extension extension = ProtoOf(*snapshot).extension();

  EXPECT_FALSE(extension.available());
  EXPECT_EQ(extension.reason(), "The extension is not installed.");
  EXPECT_FALSE(extension.has_summary());
}

}  // namespace
}  // namespace pgvalet::api
