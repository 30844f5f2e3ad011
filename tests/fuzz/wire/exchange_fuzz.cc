// Exchange between a client and a server of which each byte says one step: a message sent, answers
// of a server that keeps to the protocol (a byte below 128), or any answer at all.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "fakes/client_messages.h"
#include "fakes/fake_backend.h"
#include "fuzz_input.h"
#include "wire/exchange.h"

using namespace pgvalet;
using namespace pgvalet::wire;

namespace {

constexpr std::size_t kMaxSteps = 4000;

std::unique_ptr<StatementChange> Change() {
  return std::make_unique<StatementChange>(StatementChange{nullptr, "name"});
}

// What must hold after every step.
void Check(Exchange& exchange, std::size_t sent) {
  Require(exchange.outstanding_count() <= sent);
  Require(exchange.Outstanding() == (exchange.outstanding_count() > 0));
  Require(!exchange.AtReady() || !exchange.Outstanding());
  Require(!exchange.Idle() || exchange.AtReady());
  Require(!exchange.HeadIsOwnQuery() || exchange.Outstanding());
  Sent kind;
  while (exchange.TakeKnown(&kind)) Require(kind == Sent::kKnownParse || kind == Sent::kKnownClose);
  for (const SentMessage& message : exchange.TakeUndone()) Require(message.change != nullptr);
  Require(!exchange.has_undone());
}

// Anything may come from either side.
void PlayAnything(const std::uint8_t* data, std::size_t size) {
  static constexpr std::string_view kAnswers = "123CDEGHIKNSTVWZZZAnstv?";
  Exchange exchange;
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned step = data[i];
    if (step % 2 == 0) {
      const auto kind = static_cast<Sent>(step / 2 % 14);
      exchange.OnSent(kind, step >= 128 ? Change() : nullptr);
    } else {
      const std::uint8_t status = AsBytes("ITEx")[step / 64];
      exchange.OnAnswer(kAnswers[step / 2 % kAnswers.size()], Bytes(&status, step == 255 ? 0 : 1));
    }
    Check(exchange, i + 1);
  }
  exchange.Reset();
  Require(exchange.Idle() && !exchange.broken());
}

struct Message {
  Sent kind;
  std::string bytes;
};

const std::array<Message, 24>& Messages() {
  using namespace fakes;  // NOLINT: the messages of a client
  static const std::array<Message, 24> kMessages = {{
      {Sent::kQuery, Query("select 1")},
      {Sent::kQuery, Query("fail")},
      {Sent::kQuery, Query("begin")},
      {Sent::kQuery, Query("commit")},
      {Sent::kQuery, Query("copy in; copy in")},
      {Sent::kQuery, Query("copy trigger")},
      {Sent::kParse, Parse("", "select 1")},
      {Sent::kParse, Parse("", "bad")},
      {Sent::kParse, Parse("", "copy in")},
      {Sent::kParse, Parse("", "copy trigger")},
      {Sent::kParse, Parse("", "defer")},
      {Sent::kBind, Bind("")},
      {Sent::kDescribe, DescribePortal()},
      {Sent::kExecute, Execute()},
      {Sent::kClose, CloseStatement("x")},
      {Sent::kSync, Sync()},
      {Sent::kSync, Sync()},
      {Sent::kFunctionCall, FunctionCall()},
      {Sent::kCopyEnd, CopyDone()},
      {Sent::kCopyEnd, CopyFail()},
      {Sent::kOwnClose, CloseStatement("y")},
      {Sent::kKnownParse, ""},
      {Sent::kKnownClose, ""},
      {Sent::kOwnQuery, Query("set \"a\"=E'b'")},
  }};
  return kMessages;
}

class OrderlyPlay {
 public:
  void Step(unsigned step) {
    if (step >= 192) {
      Arrive();
    } else if (step >= 128) {
      AnswerOne();
    } else {
      Send(Messages()[step % Messages().size()]);
    }
    ++steps_;
    Check(exchange_, steps_);
    CheckIdle();
  }

  void Finish() {
    for (int i = 0; i < 3; ++i) Send(Messages()[19]);
    Send(Messages()[15]);
    Send({Sent::kQuery, fakes::Query("rollback")});
    Arrive();
    while (!answers_.empty()) {
      AnswerOne();
      Check(exchange_, steps_ + 5);
      CheckIdle();
    }
    Require(exchange_.broken() || backend_.terminated() || exchange_.Idle());
  }

 private:
  void Send(const Message& message) {
    if (message.kind == Sent::kCopyEnd && exchange_.AtReady()) return;
    if (message.kind == Sent::kOwnQuery && !exchange_.Idle()) return;  // goes first in a lease
    exchange_.OnSent(message.kind, Change());
    on_the_way_ += message.bytes;
  }

  void Arrive() {
    backend_.Take(std::exchange(on_the_way_, {}));
    answers_ += backend_.TakeAnswers();
  }

  void AnswerOne() {
    if (answers_.empty()) return;
    const Bytes all = AsBytes(answers_);
    const Header header = LoadHeader(all.data());
    exchange_.OnAnswer(header.type, all.subspan(kHeaderBytes, header.body()));
    answers_.erase(0, header.total());
  }

  void CheckIdle() {
    if (!exchange_.Idle() || exchange_.broken()) return;
    Arrive();
    Require(answers_.empty());
    Require(backend_.ready() && backend_.status() == TxStatus::kIdle);
  }

  Exchange exchange_;
  fakes::FakeBackend backend_;
  std::string on_the_way_;
  std::string answers_;
  std::size_t steps_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  size = std::min(size, kMaxSteps);
  PlayAnything(data, size);
  OrderlyPlay play;
  for (std::size_t i = 0; i < size; ++i) play.Step(data[i]);
  play.Finish();
  return 0;
}
