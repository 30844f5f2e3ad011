#include "io/stream.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes/fake_client.h"
#include "fakes/stepped_loop.h"
#include "io/channel.h"
#include "io/listener.h"
#include "io/resolver.h"

namespace pgvalet::io {
namespace {

using fakes::FakeClient;
using fakes::SteppedLoop;

struct Recorder final : StreamHandler {
  void OnReadable() override {
    ++readable;
    if (on_readable) on_readable();
  }
  void OnWritable() override {
    ++writable;
    if (on_writable) on_writable();
  }
  int readable = 0;
  int writable = 0;
  std::function<void()> on_readable;
  std::function<void()> on_writable;
};

struct StreamTest : testing::Test {
  std::string Received() {
    std::string text;
    while (stream->readable()) {
      const auto got = stream->Receive();
      if (!got || got->empty()) break;
      text.append(reinterpret_cast<const char*>(got->data()), got->size());
    }
    return text;
  }

  SteppedLoop stepped;
  Recorder handler;
  FakeClient peer{4096};
  std::unique_ptr<Stream> stream =
      std::make_unique<Stream>(stepped.loop, peer.TakeAgentFd(), handler);
};

TEST_F(StreamTest, WhatThePeerSendsIsReceived) {
  stepped.Settle();
  EXPECT_EQ(handler.readable, 0);

  peer.Send("hello");
  stepped.Settle();

  EXPECT_EQ(handler.readable, 1);
  EXPECT_EQ(Received(), "hello");
  EXPECT_FALSE(stream->readable());
  EXPECT_FALSE(stream->hangup());
}

TEST_F(StreamTest, LastBytesComeBeforeTheEnd) {
  peer.Send("bye");
  peer.Close();
  stepped.Settle();

  EXPECT_TRUE(stream->hangup());
  const auto last = stream->Receive();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->size(), 3u);
  EXPECT_TRUE(stream->readable());  // the end is still to be read
  const auto end = stream->Receive();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kClosed);
}

TEST_F(StreamTest, WhatTheSocketDoesNotTakeWaitsAndThenOwnerIsTold) {
  const std::string much(1'000'000, 'x');
  ASSERT_TRUE(stream->Send(much));
  EXPECT_TRUE(stream->blocked());
  ASSERT_TRUE(stream->Send("end"));  // behind it, whatever the socket could take
  stepped.Settle();
  EXPECT_EQ(handler.writable, 0);

  std::string got;
  for (int i = 0; i < 2000 && got.size() < much.size() + 3; ++i) {
    got += peer.Receive();
    stepped.Turn();
  }

  EXPECT_EQ(got, much + "end");
  EXPECT_EQ(handler.writable, 1);
  EXPECT_FALSE(stream->blocked());
  EXPECT_EQ(stream->outbox_bytes(), 0u);
  EXPECT_EQ(stepped.counters.buffer_bytes.value(), 0);
}

TEST_F(StreamTest, DestroyedInItsOwnEventIsServedNoFurther) {
  handler.on_readable = [&] { stream.reset(); };
  peer.Send("x");

  stepped.Settle();

  EXPECT_EQ(handler.readable, 1);
}

TEST_F(StreamTest, DestroyedWhenWritableIsNotReadAfterwards) {
  ASSERT_TRUE(stream->Send(std::string(1'000'000, 'x')));
  handler.on_writable = [&] { stream.reset(); };
  handler.on_readable = [&] { ASSERT_NE(stream, nullptr); };
  for (int i = 0; i < 2000 && stream; ++i) {
    peer.Receive();
    peer.Send("x");
    stepped.Turn();
    if (stream) Received();
  }

  EXPECT_EQ(stream, nullptr);
}

TEST_F(StreamTest, DestroyedWithAnOutboxReturnsItsBuffer) {
  ASSERT_TRUE(stream->Send(std::string(1'000'000, 'x')));
  EXPECT_GT(stepped.counters.buffer_bytes.value(), 0);

  stream.reset();

  EXPECT_EQ(stepped.counters.buffer_bytes.value(), 0);
  EXPECT_EQ(stepped.counters.buffers_in_use.value(), 0);
}

TEST_F(StreamTest, DestroyedWithAFewBytesToSendReturnsItsBufferToo) {
  while (!stream->blocked()) ASSERT_TRUE(stream->Send("x"));

  stream.reset();

  EXPECT_EQ(stepped.counters.buffer_bytes.value(), 0);
  EXPECT_EQ(stepped.counters.buffers_in_use.value(), 0);
}

TEST_F(StreamTest, PeerThatIsGoneIsAnErrorOfSendAndOfReceive) {
  peer.Close();

  const auto sent = stream->Send("x");

  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kIo);
  EXPECT_FALSE(stream->Send("x"));
  stepped.Settle();
  EXPECT_EQ(handler.readable, 1);
  EXPECT_FALSE(stream->Receive());
}

TEST_F(StreamTest, PeerThatGoesAwayWhileBytesWaitIsNoticed) {
  ASSERT_TRUE(stream->Send(std::string(1'000'000, 'x')));

  peer.Close();
  stepped.Settle();

  EXPECT_FALSE(stream->blocked());
  EXPECT_GE(handler.readable, 1);
  EXPECT_FALSE(stream->Receive());
}

TEST_F(StreamTest, MovesToAnotherLoopWithWhatArrivesMeanwhile) {
  SteppedLoop other;
  stream->Leave();
  peer.Send("on the way");
  stepped.Settle();
  EXPECT_EQ(handler.readable, 0);

  stream->Join(other.loop);
  other.Settle();

  EXPECT_EQ(handler.readable, 1);
  EXPECT_EQ(Received(), "on the way");
  stream.reset();  // before the loop it has joined
}

// ---- listening and connecting ----

Result<Address> AbstractAddress(std::string_view name) {
  return Address::ForUnixDirectory(
      "@pgvalet-io-test-" + std::to_string(getpid()) + std::string(name), 5432);
}

TEST(ListenerTest, AcceptsWhoConnects) {
  SteppedLoop stepped;
  const Address address = *AbstractAddress("a");
  Result<ListenSocket> socket = ListenSocket::Open(address, {});
  ASSERT_TRUE(socket);
  std::vector<int> accepted;
  Acceptor acceptor(stepped.loop, *socket, [&](int fd, const Address& peer) {
    accepted.push_back(fd);
    EXPECT_TRUE(peer.is_unix());
  });
  std::vector<std::unique_ptr<Stream>> streams;
  Recorder handler;
  for (int i = 0; i < 40; ++i) {  // more than one turn accepts
    Result<int> fd = Stream::Connect(address);
    if (!fd) break;  // the backlog is full
    streams.push_back(std::make_unique<Stream>(stepped.loop, *fd, handler, true));
    if (i % 5 == 4) stepped.Settle();
  }
  stepped.Settle();

  EXPECT_EQ(accepted.size(), 40u);
  EXPECT_EQ(handler.writable, 40);
  for (const auto& stream : streams) EXPECT_EQ(stream->ConnectResult(), 0);
  for (int fd : accepted) close(fd);
}

TEST(ListenerTest, NobodyListeningIsAnError) {
  EXPECT_FALSE(Stream::Connect(*AbstractAddress("nobody")));
}

TEST(ListenerTest, AddressThatIsTakenIsAnError) {
  const Address address = *AbstractAddress("taken");
  const Result<ListenSocket> first = ListenSocket::Open(address, {});
  ASSERT_TRUE(first);

  const Result<ListenSocket> second = ListenSocket::Open(address, {});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
}

TEST(ListenerTest, UnixSocketFileIsMadeAndRemoved) {
  const std::string directory = testing::TempDir() + "pgvalet-io-" + std::to_string(getpid());
  ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  const Address address = *Address::ForUnixDirectory(directory, 6543);
  const std::string path = directory + "/.s.PGSQL.6543";
  ListenOptions owner_only;
  owner_only.unix_mode = 0700;
  {
    const Result<ListenSocket> socket = ListenSocket::Open(address, owner_only);
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->name(), path);
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
    EXPECT_FALSE(ListenSocket::Open(address, owner_only));  // somebody living owns it
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  EXPECT_EQ(rmdir(directory.c_str()), 0);  // nothing else is left
}

TEST(AddressTest, HasItsText) {
  const auto v4 = ListenAddresses({"127.0.0.1"}, 5432, "");
  ASSERT_TRUE(v4);
  EXPECT_EQ((*v4)[0].ToString(), "127.0.0.1:5432");
  EXPECT_EQ(PeerAddress::From((*v4)[0]).ToString(), "127.0.0.1:5432");
  const auto v6 = ListenAddresses({"::1"}, 5432, "/tmp");
  ASSERT_TRUE(v6);
  EXPECT_EQ((*v6)[0].ToString(), "[::1]:5432");
  EXPECT_EQ((*v6)[1].ToString(), "/tmp/.s.PGSQL.5432");
  EXPECT_EQ(Address::ForUnixDirectory("@x", 1)->ToString(), "@x/.s.PGSQL.1");
  EXPECT_EQ(PeerAddress().ToString(), "unix");
  EXPECT_FALSE(Address::ForUnixDirectory(std::string(200, 'x'), 1));
}

// ---- coroutines ----

Task<int> Twice(int value) { co_return 2 * value; }

Task<int> Sum(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await Twice(1);
  co_return sum;
}

TEST(TaskTest, ManyChildrenThatFinishAtOnceKeepTheStackFlat) {
  Task<int> task = Sum(200'000);

  task.Start();

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.result(), 400'000);
}

struct ChannelTest : StreamTest {
  Channel channel{stepped.loop, std::nullopt};
  void SetUp() override { channel.Use(*stream); }
};

TEST_F(ChannelTest, MessageThatComesInPiecesIsOne) {
  auto task = channel.NextMessage(100);
  task.Start();
  for (char byte : std::string("Q\0\0\0\6ab", 7)) {
    EXPECT_FALSE(task.done());
    peer.Send({&byte, 1});
    stepped.Settle();
  }

  ASSERT_TRUE(task.done());
  ASSERT_TRUE(task.result());
  EXPECT_EQ(task.result()->type, 'Q');
  EXPECT_EQ(wire::AsText(task.result()->body), "ab");
}

TEST_F(ChannelTest, TooLongAMessageIsAnError) {
  auto task = channel.NextMessage(100);
  task.Start();
  peer.Send(std::string("Q\0\0\0\x65", 5));
  stepped.Settle();

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.result().error().code, ErrorCode::kProtocol);
}

TEST_F(ChannelTest, EndOfTheStreamEndsTheWait) {
  auto task = channel.NextMessage(100);
  task.Start();
  peer.Close();
  stepped.Settle();

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.result().error().code, ErrorCode::kClosed);
}

TEST_F(ChannelTest, AbortEndsTheWaitAndAllLaterOnes) {
  auto task = channel.NextMessage(100);
  task.Start();

  channel.Abort(Error{ErrorCode::kAborted, "enough"});

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.result().error().code, ErrorCode::kAborted);
  auto next = channel.Fill(1);
  next.Start();
  ASSERT_TRUE(next.done());
  EXPECT_EQ(next.result().error().code, ErrorCode::kAborted);
}

TEST_F(ChannelTest, DeadlineThatHasPassedEndsTheWait) {
  Channel hurried(stepped.loop, stepped.loop.now() - std::chrono::seconds(1));
  hurried.Use(*stream);
  auto task = hurried.NextMessage(100);
  task.Start();
  EXPECT_FALSE(task.done());

  stepped.Turn();

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.result().error().code, ErrorCode::kTimeout);
}

TEST_F(ChannelTest, TaskThatIsDestroyedWhileItWaitsIsNotResumed) {
  {
    auto task = channel.NextMessage(100);
    task.Start();
    task = {};
  }
  // The owner of a task destroys the channel along with it; nothing else wakes it.
  EXPECT_EQ(channel.unread().size(), 0u);
}

struct Conversation {
  explicit Conversation(Loop& loop, Stream& stream) : channel(loop, std::nullopt) {
    channel.Use(stream);
  }
  Channel channel;
};

Task<Done> EndOnFirstByte(std::unique_ptr<Conversation>& conversation, StreamHandler& next,
                          Stream& stream) {
  [[maybe_unused]] const Result<Done> got = co_await conversation->channel.Fill(1);
  stream.SetHandler(next);
  conversation.reset();
  co_return Done{};
}

TEST_F(ChannelTest, MayBeDestroyedByWhomItResumes) {
  auto conversation = std::make_unique<Conversation>(stepped.loop, *stream);
  auto task = EndOnFirstByte(conversation, handler, *stream);
  task.Start();

  peer.Send("x");
  stepped.Settle();

  EXPECT_TRUE(task.done());
  EXPECT_EQ(conversation, nullptr);
}

TEST_F(ChannelTest, WhatIsNotConsumedIsHandedOver) {
  peer.Send(std::string("Q\0\0\0\4rest", 9));
  stepped.Settle();
  auto task = channel.NextMessage(100);
  task.Start();

  ASSERT_TRUE(task.done());
  EXPECT_EQ(channel.TakeUnread(), "rest");
  EXPECT_EQ(channel.unread().size(), 0u);
}

// ---- names ----

Task<Result<Addresses>> Resolve(Resolver& resolver, Loop& loop, std::string host) {
  co_return co_await resolver.Resolve(loop, std::move(host), 5432);
}

TEST(ResolverTest, AddressesAndDirectoriesNeedNoWaiting) {
  Resolver resolver;
  SteppedLoop stepped;
  for (const char* host : {"127.0.0.1", "::1", "/tmp", "@abstract"}) {
    auto task = Resolve(resolver, stepped.loop, host);
    task.Start();
    ASSERT_TRUE(task.done()) << host;
    EXPECT_TRUE(task.result()) << host;
  }
}

TEST(ResolverTest, NameIsResolvedOnAnotherThread) {
  Resolver resolver;
  SteppedLoop stepped;
  auto task = Resolve(resolver, stepped.loop, "localhost");
  task.Start();
  EXPECT_FALSE(task.done());
  while (!task.done()) stepped.loop.Turn();  // waits for the post

  ASSERT_TRUE(task.result());
  EXPECT_FALSE(task.result()->empty());
}

TEST(ResolverTest, AbandonedLookupResumesNobody) {
  SteppedLoop stepped;
  {
    Resolver resolver;
    auto task = Resolve(resolver, stepped.loop, "localhost");
    task.Start();
  }  // the resolver ends its threads, the answer may have been posted

  stepped.Settle();
}

}  // namespace
}  // namespace pgvalet::io
