// Exchange while a COPY reads from the client.
#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "exchange_driver.h"
#include "fakes/fake_backend.h"

namespace pgvalet::wire {
namespace {

using namespace fakes;  // NOLINT: the messages of a client

std::vector<std::string> ExtendedCopy(const std::string& sql) {
  return {Parse("", sql), Bind(""), Execute()};
}

struct ExchangeCopyTest : testing::Test {
  void Settle() {
    backend.Take(driver.to_server);
    driver.to_server.clear();
    driver.AnswerAll(backend.TakeAnswers());
  }
  void SendAll(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) driver.Send(message);
  }
  std::string Answers() {
    Settle();
    return Describe(std::exchange(driver.to_client, {}));
  }

  FakeBackend backend;
  ExchangeDriver driver;
  Exchange& exchange = driver.exchange;
};

TEST_F(ExchangeCopyTest, SimpleCopyIsIdleAfterItsReadyForQuery) {
  driver.Send(Query("copy in"));
  EXPECT_EQ(Answers(), "G");
  EXPECT_TRUE(exchange.copying_in());
  SendAll({CopyData("1"), CopyDone()});
  EXPECT_FALSE(exchange.AtReady());

  EXPECT_EQ(Answers(), "C:COPY 1 Z:I");

  EXPECT_FALSE(exchange.copying_in());
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, SimpleCopySentAllAtOnce) {
  SendAll({Query("copy in"), CopyData("1"), CopyDone(), Query("select 1")});

  EXPECT_EQ(Answers(), "G C:COPY 1 Z:I T D C:SELECT 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

// Sync is ignored, wherever it was when the COPY began.
TEST_F(ExchangeCopyTest, SyncDuringASimpleCopyIsNotWaitedFor) {
  SendAll({Query("copy in"), Sync(), CopyData("1")});
  EXPECT_EQ(Answers(), "G");
  SendAll({Sync(), CopyDone()});

  EXPECT_EQ(Answers(), "C:COPY 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

// As libpq does: Sync behind Execute, and another one behind CopyDone.
TEST_F(ExchangeCopyTest, SyncBehindTheExecuteOfACopyIsNotWaitedFor) {
  SendAll(ExtendedCopy("copy in"));
  driver.Send(Sync());
  EXPECT_EQ(Answers(), "1 2 G");
  SendAll({CopyData("1"), CopyDone(), Sync()});

  EXPECT_EQ(Answers(), "C:COPY 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeCopyTest, ExtendedCopySentAllAtOnce) {
  SendAll(ExtendedCopy("copy in"));
  SendAll({Sync(), CopyData("1"), CopyDone(), Sync(), Query("select 1")});

  EXPECT_EQ(Answers(), "1 2 G C:COPY 1 Z:I T D C:SELECT 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, SyncBehindCopyDoneIsWaitedFor) {
  SendAll(ExtendedCopy("copy in"));
  Settle();
  SendAll({CopyData("1"), CopyDone()});
  EXPECT_EQ(Answers(), "1 2 G C:COPY 1");
  EXPECT_FALSE(exchange.AtReady());

  driver.Send(Sync());

  EXPECT_EQ(Answers(), "Z:I");
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, AnySyncsDuringACopyCostNoMemory) {
  driver.Send(Query("copy in"));
  Settle();

  for (int i = 0; i < 1000; ++i) driver.Send(Sync());

  EXPECT_EQ(exchange.outstanding_count(), 1u);
  driver.Send(CopyDone());
  Settle();
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, EachCopyOfOneQueryHasItsOwnEnd) {
  SendAll({Query("copy in; copy in; select 1"), CopyData("1"), CopyDone(), Sync(), CopyData("2"),
           CopyDone(), Sync()});

  EXPECT_EQ(Answers(), "G C:COPY 1 G C:COPY 1 T D C:SELECT 1 Z:I Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, SecondCopyOfOneQueryReadsOn) {
  driver.Send(Query("copy in; copy in"));
  EXPECT_EQ(Answers(), "G");
  SendAll({CopyDone(), CopyDone()});

  EXPECT_EQ(Answers(), "C:COPY 1 G C:COPY 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, EndOfACopyThatNeverBeganIsIgnored) {
  SendAll({Query("fail"), CopyData("1"), CopyDone()});

  EXPECT_EQ(Answers(), "E:22012 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, EndOfACopyOutsideOfAllIsIgnored) {
  SendAll({Parse("", "select 1"), Flush()});
  Settle();

  SendAll({CopyDone(), CopyFail()});

  EXPECT_FALSE(exchange.Outstanding());
  driver.Send(Sync());
  Settle();
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, EndOfACopyWhenReadyChangesNothing) {
  exchange.OnSent(Sent::kCopyEnd);

  EXPECT_TRUE(exchange.Idle());
}

// ---- failures ----

TEST_F(ExchangeCopyTest, FailedSimpleCopyIsIdleAtOnce) {
  SendAll({Query("copy in"), CopyData("bad"), CopyData("1"), CopyDone()});

  EXPECT_EQ(Answers(), "G E:22P02 Z:I");

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeCopyTest, CopyFailIsAnsweredByAnError) {
  SendAll({Query("copy in"), CopyFail()});

  EXPECT_EQ(Answers(), "G E:57014 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeCopyTest, FailedExtendedCopyWaitsForASync) {
  SendAll(ExtendedCopy("copy in"));
  driver.Send(CopyData("bad"));
  EXPECT_EQ(Answers(), "1 2 G E:22P02");
  EXPECT_FALSE(exchange.AtReady());
  SendAll({CopyData("2"), CopyDone(), Sync()});

  EXPECT_EQ(Answers(), "Z:I");

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

// Whether the server had read the first Sync when the COPY failed cannot be known: it owes one
// ReadyForQuery or two.
TEST_F(ExchangeCopyTest, CopyThatFailsBetweenTwoSyncsCostsTheConnection) {
  SendAll(ExtendedCopy("copy in"));
  SendAll({Sync(), CopyData("bad"), CopyDone(), Sync()});

  EXPECT_EQ(Answers(), "1 2 G E:22P02 Z:I");

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, CopyThatFailsBeforeItReadsCostsTheConnection) {
  SendAll(ExtendedCopy("copy trigger"));
  SendAll({Sync(), CopyData("1"), CopyDone(), Sync()});

  EXPECT_EQ(Answers(), "1 2 G E:P0001 Z:I Z:I");

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, SecondSyncBehindTheFailureCostsTheConnection) {
  SendAll(ExtendedCopy("copy trigger"));
  driver.Send(Sync());
  backend.Take(driver.to_server);
  driver.to_server.clear();
  std::string answers = backend.TakeAnswers();
  for (int i = 0; i < 4; ++i) driver.Answer(answers);  // 1 2 G E

  SendAll({CopyDone(), Sync()});

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, RequestBehindTheEndOfAFailedCopyCostsTheConnection) {
  SendAll(ExtendedCopy("copy trigger"));
  SendAll({Sync(), CopyDone(), Query("select 1")});  // skipped, if the COPY had read the Sync

  EXPECT_EQ(Answers(), "1 2 G E:P0001 Z:I T D C:SELECT 1 Z:I");

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, CopyThatFailsBehindTwoSyncsCostsTheConnection) {
  SendAll(ExtendedCopy("copy trigger"));
  SendAll({Sync(), Sync()});

  EXPECT_EQ(Answers(), "1 2 G E:P0001 Z:I Z:I");

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, RequestBehindTheFailureCostsTheConnection) {
  SendAll(ExtendedCopy("copy trigger"));
  driver.Send(Sync());
  backend.Take(driver.to_server);
  driver.to_server.clear();
  std::string answers = backend.TakeAnswers();
  for (int i = 0; i < 4; ++i) driver.Answer(answers);  // 1 2 G E, and Z is on its way

  driver.Send(Bind(""));  // not skipped, although no Sync was sent since the error

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, CopyThatFailsBeforeItReadsIsIdleAfterItsOnlySync) {
  SendAll(ExtendedCopy("copy trigger"));
  driver.Send(Sync());

  EXPECT_EQ(Answers(), "1 2 G E:P0001 Z:I");

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeCopyTest, SimpleCopyThatFailsBetweenSyncsCostsTheConnection) {
  SendAll({Query("copy in"), Sync(), CopyData("bad")});

  Settle();

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, AnotherMessageDuringACopyCostsTheConnection) {
  driver.Send(Query("copy in"));
  Settle();

  driver.Send(Parse("", "select 1"));

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeCopyTest, AnotherMessageSentAheadOfACopyCostsTheConnection) {
  SendAll({Query("copy in"), Parse("", "select 1")});

  Settle();

  EXPECT_TRUE(exchange.broken());
}

}  // namespace
}  // namespace pgvalet::wire
