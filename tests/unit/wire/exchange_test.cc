#include "wire/exchange.h"

#include <gtest/gtest.h>

#include "exchange_driver.h"
#include "fakes/fake_backend.h"

namespace pgvalet::wire {
namespace {

using namespace fakes;  // NOLINT: the messages of a client

std::string Ready(char status = 'I') {
  std::string out;
  AppendReadyForQuery(out, static_cast<TxStatus>(status));
  return out;
}

std::string Bare(char type) {
  std::string out;
  AppendMessage(out, type, {});
  return out;
}

struct ExchangeTest : testing::Test {
  // The server reads everything that was sent, and all it says arrives.
  void Settle() {
    backend.Take(driver.to_server);
    driver.to_server.clear();
    driver.AnswerAll(backend.TakeAnswers());
  }
  void SendAll(std::initializer_list<std::string> messages) {
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

TEST_F(ExchangeTest, IsIdleAfterLogin) {
  EXPECT_TRUE(exchange.Idle());
  EXPECT_TRUE(exchange.AtReady());
  EXPECT_FALSE(exchange.Outstanding());
  EXPECT_FALSE(exchange.HeadIsOwnQuery());
  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeTest, QueryIsOutstandingUntilReadyForQuery) {
  driver.Send(Query("select 1"));
  EXPECT_FALSE(exchange.Idle());
  EXPECT_EQ(exchange.outstanding_count(), 1u);

  EXPECT_EQ(Answers(), "T D C:SELECT 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
  EXPECT_EQ(exchange.outstanding_count(), 0u);
}

TEST_F(ExchangeTest, OpenTransactionIsReadyButNotIdle) {
  driver.Send(Query("begin"));
  Settle();

  EXPECT_TRUE(exchange.AtReady());
  EXPECT_FALSE(exchange.Idle());
  EXPECT_EQ(exchange.status(), TxStatus::kInTransaction);

  driver.Send(Query("fail"));
  Settle();
  EXPECT_EQ(exchange.status(), TxStatus::kFailed);
  EXPECT_FALSE(exchange.Idle());

  driver.Send(Query("rollback"));
  Settle();
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, PipelineIsIdleAfterItsLastSyncOnly) {
  SendAll({Parse("", "select 1"), Bind(""), DescribePortal(), Execute(), Sync(), Query("update")});
  backend.Take(driver.to_server);
  std::string answers = backend.TakeAnswers();
  int ready = 0;
  while (!answers.empty()) {
    driver.Answer(answers);
    ready += exchange.AtReady() ? 1 : 0;
  }

  EXPECT_EQ(ready, 1);
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, FlushWithoutSyncLeavesItNotIdle) {
  SendAll({Parse("", "select 1"), Flush()});

  EXPECT_EQ(Answers(), "1");

  EXPECT_FALSE(exchange.Outstanding());
  EXPECT_FALSE(exchange.AtReady());
  driver.Send(Sync());
  EXPECT_EQ(Answers(), "Z:I");
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, MessagesAfterAnErrorAreNotWaitedFor) {
  SendAll({Parse("", "bad"), Bind(""), Execute(), Sync(), Query("select 1")});

  EXPECT_EQ(Answers(), "E:42601 Z:I T D C:SELECT 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, SimpleQueryIsSkippedToo) {
  SendAll({Parse("", "bad"), Query("select 1"), FunctionCall(), Sync()});

  EXPECT_EQ(Answers(), "E:42601 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, WhatIsSentWhileTheServerSkipsIsNotWaitedFor) {
  SendAll({Parse("", "bad"), Flush()});
  EXPECT_EQ(Answers(), "E:42601");
  SendAll({Bind(""), Query("select 1"), Execute(), CopyDone()});
  EXPECT_EQ(exchange.outstanding_count(), 0u);
  EXPECT_FALSE(exchange.AtReady());

  driver.Send(Sync());

  EXPECT_EQ(Answers(), "Z:I");
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, ErrorAtSyncIsFollowedByItsReadyForQuery) {
  SendAll({Parse("", "defer"), Bind(""), Execute(), Sync()});

  EXPECT_EQ(Answers(), "1 2 C:DONE E:23503 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, FunctionCallHasItsOwnReadyForQuery) {
  driver.Send(FunctionCall());

  EXPECT_EQ(Answers(), "V Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, ErrorOfAFunctionCallIsFollowedByReadyForQuery) {
  SendAll({Query("begin"), Query("fail"), FunctionCall(), Query("rollback")});

  EXPECT_EQ(Answers(), "C:BEGIN Z:T E:22012 Z:E E:25P02 Z:E C:ROLLBACK Z:I");

  EXPECT_TRUE(exchange.Idle());
}

// ---- messages of ours ----

TEST_F(ExchangeTest, OwnQueryIsSwallowedWhole) {
  driver.SendOwn(Sent::kOwnQuery, Query("set \"a\"=E'b'; select 2"));
  EXPECT_TRUE(exchange.HeadIsOwnQuery());
  driver.Send(Query("select 1"));

  EXPECT_EQ(Answers(), "T D C:SELECT 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, FailedOwnQuerySaysSo) {
  driver.SendOwn(Sent::kOwnQuery, Query("fail"));
  backend.Take(driver.to_server);
  std::string answers = backend.TakeAnswers();

  driver.Answer(answers);

  EXPECT_EQ(driver.last, Answer::kRestoreFailed);
  driver.AnswerAll(answers);
  EXPECT_EQ(driver.last, Answer::kSwallow);  // its ReadyForQuery
}

TEST_F(ExchangeTest, OwnParseAndCloseAreSwallowed) {
  driver.SendOwn(Sent::kOwnParse, Parse("x", "select 1"));
  driver.SendOwn(Sent::kOwnClose, CloseStatement("y"));
  SendAll({Bind("x"), Execute(), Sync()});

  EXPECT_EQ(Answers(), "2 D C:SELECT 1 Z:I");
}

TEST_F(ExchangeTest, ErrorOfAnOwnParseReachesTheClient) {
  driver.SendOwn(Sent::kOwnParse, Parse("x", "bad"), "x");
  SendAll({Bind("x"), Execute(), Sync()});

  EXPECT_EQ(Answers(), "E:42601 Z:I");

  EXPECT_EQ(driver.undone, "x ");
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, KnownParseAndCloseAreAnsweredInTheirPlace) {
  SendAll({Parse("", "select 1"), Bind("")});
  driver.SendOwn(Sent::kKnownParse);
  driver.Send(Execute());
  driver.SendOwn(Sent::kKnownClose);
  driver.Send(Sync());
  driver.SendOwn(Sent::kKnownParse);
  driver.Send(Sync());

  EXPECT_EQ(Answers(), "1 2 1 D C:SELECT 1 3 Z:I 1 Z:I");

  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, KnownParseIsAnsweredAtOnceWhenNothingIsOutstanding) {
  driver.SendOwn(Sent::kKnownParse);

  EXPECT_EQ(Describe(driver.to_client), "1");
  EXPECT_FALSE(exchange.AtReady());  // the client owes a Sync
  driver.to_client.clear();
  driver.Send(Sync());
  EXPECT_EQ(Answers(), "Z:I");
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, TakeKnownTakesNothingElse) {
  Sent kind{};
  EXPECT_FALSE(exchange.TakeKnown(&kind));
  driver.Send(Query("select 1"));
  EXPECT_FALSE(exchange.TakeKnown(&kind));
}

// ---- what an error undoes ----

TEST_F(ExchangeTest, SkippedChangesAreUndoneInOrder) {
  driver.Send(Parse("", "bad"));
  driver.SendOwn(Sent::kOwnParse, Parse("a", "select 1"), "a");
  driver.SendOwn(Sent::kKnownParse, {}, "b");
  driver.SendOwn(Sent::kKnownClose, {}, "c");
  driver.Send(Sync());
  driver.SendOwn(Sent::kOwnParse, Parse("d", "select 1"), "d");
  driver.Send(Sync());

  EXPECT_EQ(Answers(), "E:42601 Z:I Z:I");

  EXPECT_EQ(driver.undone, "a b c ");
}

TEST_F(ExchangeTest, ChangesSentWhileTheServerSkipsAreUndoneAtOnce) {
  SendAll({Parse("", "bad"), Flush()});
  Settle();

  driver.SendOwn(Sent::kKnownParse, {}, "late");

  EXPECT_TRUE(exchange.has_undone());
  ASSERT_EQ(exchange.TakeUndone().size(), 1u);
  EXPECT_FALSE(exchange.has_undone());
  EXPECT_EQ(Types(driver.to_client), "E");
}

TEST_F(ExchangeTest, ChangesBeforeTheErrorStay) {
  driver.SendOwn(Sent::kOwnParse, Parse("a", "select 1"), "a");
  SendAll({Bind("a"), Parse("", "bad"), Sync()});

  Settle();

  EXPECT_EQ(driver.undone, "");
}

// ---- the ring ----

TEST_F(ExchangeTest, KeepsOrderWhileItsRingGrows) {
  std::string wanted;
  for (int i = 0; i < 20; ++i) driver.Send(Query("update"));
  Settle();
  driver.to_client.clear();
  for (int i = 0; i < 300; ++i) {
    driver.SendOwn(i % 3 == 0 ? Sent::kKnownClose : Sent::kKnownParse);
    driver.Send(Sync());
    wanted += i % 3 == 0 ? "3Z" : "1Z";
  }
  EXPECT_GE(exchange.outstanding_count(), 300u);

  Settle();

  EXPECT_EQ(Types(driver.to_client), wanted);
  EXPECT_TRUE(exchange.Idle());
}

TEST_F(ExchangeTest, ResetForgetsEverything) {
  driver.SendOwn(Sent::kOwnParse, {}, "a");
  SendAll({Execute(), Sync()});
  driver.AnswerAll(Bare('1') + Bare('1'));
  ASSERT_TRUE(exchange.broken());

  exchange.Reset();

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
  EXPECT_FALSE(exchange.Outstanding());
  EXPECT_FALSE(exchange.has_undone());
}

// ---- a server that does not keep to the protocol ----

struct UnexpectedAnswer {
  const char* name;
  std::string sent;  // types
  std::string answer;
};

struct UnexpectedAnswerTest : ExchangeTest, testing::WithParamInterface<UnexpectedAnswer> {};

TEST_P(UnexpectedAnswerTest, BreaksTheConnection) {
  for (char type : GetParam().sent) driver.Send(Bare(type));

  driver.AnswerAll(GetParam().answer);

  EXPECT_TRUE(exchange.broken());
}

INSTANTIATE_TEST_SUITE_P(
    Exchange, UnexpectedAnswerTest,
    testing::Values(UnexpectedAnswer{"ParseCompleteToNothing", "", Bare('1')},
                    UnexpectedAnswer{"ParseCompleteToABind", "B", Bare('1')},
                    UnexpectedAnswer{"BindCompleteToAParse", "P", Bare('2')},
                    UnexpectedAnswer{"CloseCompleteToAnExecute", "E", Bare('3')},
                    UnexpectedAnswer{"CommandCompleteToNothing", "", Bare('C')},
                    UnexpectedAnswer{"CommandCompleteToAParse", "P", Bare('C')},
                    UnexpectedAnswer{"CommandCompleteToAFunctionCall", "F", Bare('C')},
                    UnexpectedAnswer{"PortalSuspendedInAQuery", "Q", Bare('s')},
                    UnexpectedAnswer{"NoDataInAQuery", "Q", Bare('n')},
                    UnexpectedAnswer{"RowDescriptionToAnExecute", "E", Bare('T')},
                    UnexpectedAnswer{"RowDescriptionToNothing", "", Bare('T')},
                    UnexpectedAnswer{"CopyInToNothing", "", Bare('G')},
                    UnexpectedAnswer{"CopyInToAParse", "P", Bare('G')},
                    UnexpectedAnswer{"ReadyForQueryToNothing", "", Ready()},
                    UnexpectedAnswer{"ReadyForQueryBeforeAnAnswer", "PS", Ready()},
                    UnexpectedAnswer{"ReadyForQueryWithoutStatus", "S", Bare('Z')},
                    UnexpectedAnswer{"ReadyForQueryWithUnknownStatus", "S", Ready('x')}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(ExchangeTest, CopyAsAnswerToAQueryOfOursBreaksTheConnection) {
  driver.SendOwn(Sent::kOwnQuery, Query("copy in"));

  Settle();

  EXPECT_TRUE(exchange.broken());
}

TEST_F(ExchangeTest, PartsOfAQueryMayComeAgainAndAgain) {
  driver.Send(Query("select 1; select 1; update;"));

  EXPECT_EQ(Answers(), "T D C:SELECT 1 T D C:SELECT 1 C:DONE Z:I");

  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeTest, EmptyQueriesAndSuspendedPortalsEndTheirMessages) {
  SendAll({Query(""), Parse("", ""), Bind(""), DescribePortal(), Execute(), Sync()});
  EXPECT_EQ(Answers(), "I Z:I 1 2 n I Z:I");
  EXPECT_TRUE(exchange.Idle());

  SendAll({Execute(), Sync()});
  driver.AnswerAll(Bare('D') + Bare('s') + Ready());
  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeTest, AsynchronousMessagesPassAndChangeNothing) {
  for (char type : {'N', 'A', 'S'}) {
    driver.AnswerAll(Bare(type));
    EXPECT_EQ(driver.last, Answer::kForward);
  }

  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST_F(ExchangeTest, ErrorOutOfTheBluePasses) {
  driver.AnswerAll(Bare('E'));

  EXPECT_EQ(driver.last, Answer::kForward);
  EXPECT_FALSE(exchange.broken());
}

std::unique_ptr<StatementChange> About(const StatementPtr& statement) {
  return std::make_unique<StatementChange>(StatementChange{statement, {}});
}

TEST(ExchangeOwnDescribeTest, ItsAnswersAreSwallowedAndThoseOfTheClientBehindItAreNot) {
  StatementStore store;
  const StatementPtr statement = store.Intern("SELECT 1");
  Exchange exchange;
  exchange.OnSent(Sent::kOwnParse);
  exchange.OnSent(Sent::kOwnDescribe, About(statement));
  exchange.OnSent(Sent::kDescribe);
  exchange.OnSent(Sent::kSync);

  EXPECT_EQ(exchange.OnAnswer(server::kParseComplete), Answer::kSwallow);
  EXPECT_EQ(exchange.oldest()->change->statement, statement);
  EXPECT_EQ(exchange.OnAnswer(server::kParameterDescription), Answer::kSwallow);
  EXPECT_EQ(exchange.OnAnswer(server::kRowDescription), Answer::kSwallow);
  EXPECT_EQ(exchange.OnAnswer(server::kParameterDescription), Answer::kForward);
  EXPECT_EQ(exchange.OnAnswer(server::kNoData), Answer::kForward);
  EXPECT_EQ(exchange.OnAnswer(server::kReadyForQuery, AsBytes("I")), Answer::kForward);
  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST(ExchangeRefusalTest, ItsErrorIsToldApartAndEndsWithTheSync) {
  Exchange exchange;
  exchange.OnSent(Sent::kRefusal);
  exchange.OnSent(Sent::kBind);
  exchange.OnSent(Sent::kExecute);
  exchange.OnSent(Sent::kSync);

  EXPECT_EQ(exchange.OnAnswer(server::kErrorResponse), Answer::kRefuse);
  EXPECT_EQ(exchange.OnAnswer(server::kReadyForQuery, AsBytes("I")), Answer::kForward);
  EXPECT_TRUE(exchange.Idle());
  EXPECT_FALSE(exchange.broken());
}

TEST(ExchangeRefusalTest, BehindAnErrorOfTheClientsItIsNeverCarriedOut) {
  Exchange exchange;
  exchange.OnSent(Sent::kBind);
  exchange.OnSent(Sent::kRefusal);
  exchange.OnSent(Sent::kSync);

  EXPECT_EQ(exchange.OnAnswer(server::kErrorResponse), Answer::kForward);
  EXPECT_EQ(exchange.OnAnswer(server::kReadyForQuery, AsBytes("I")), Answer::kForward);
  EXPECT_TRUE(exchange.Idle());
}

}  // namespace
}  // namespace pgvalet::wire
