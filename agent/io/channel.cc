#include "io/channel.h"

#include <utility>

namespace pgvalet::io {

Channel::Channel(Loop& loop, std::optional<Time> deadline)
    : deadline_([this] {
        Abort(Error{ErrorCode::kTimeout, "timed out"});
      }) {
  if (deadline) loop.Arm(deadline_, *deadline);
}

void Channel::Use(Stream& stream) {
  stream_ = &stream;
  stream.SetHandler(*this);
  buffer_.clear();
  consumed_ = 0;
  end_.reset();
}

void Channel::Resume() {
  waiting_ = Waiting::kNothing;
  if (auto waiter = std::exchange(waiter_, {})) waiter.resume();
}

void Channel::Abort(Error error) {
  failure_ = std::move(error);
  Resume();
}

void Channel::OnReadable() {
  // Somebody who waits for the connection learns of its failure from OnWritable or here.
  const bool wake =
      waiting_ == Waiting::kBytes || (waiting_ == Waiting::kDrain && stream_->hangup());
  if (wake) Resume();  // who is resumed may destroy us
}

void Channel::OnWritable() {
  if (waiting_ == Waiting::kDrain) Resume();
}

void Channel::TakeArrived() {
  if (consumed_ > 0) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  Result<std::span<std::uint8_t>> got = stream_->Receive();
  if (!got) {
    end_ = got.error();
    return;
  }
  buffer_.append(reinterpret_cast<const char*>(got->data()), got->size());
}

Task<Result<Done>> Channel::Fill(std::size_t bytes) {
  while (unread().size() < bytes) {
    if (failure_) co_return *failure_;
    if (end_) co_return *end_;
    if (stream_->readable()) {
      TakeArrived();
      continue;
    }
    co_await Wait{*this, Waiting::kBytes};
  }
  co_return Done{};
}

Task<Result<ChannelMessage>> Channel::NextMessage(std::uint32_t max_bytes) {
  if (Result<Done> header = co_await Fill(wire::kHeaderBytes); !header) co_return header.error();
  const wire::Header header = wire::LoadHeader(unread().data());
  if (!wire::HeaderIsSane(header, max_bytes)) {
    co_return Error{ErrorCode::kProtocol, "invalid message length"};
  }
  if (Result<Done> whole = co_await Fill(header.total()); !whole) co_return whole.error();
  ChannelMessage message{header.type, unread().subspan(wire::kHeaderBytes, header.body())};
  Consume(header.total());
  co_return message;
}

Task<Result<Done>> Channel::Drained() {
  co_await Wait{*this, Waiting::kDrain};
  if (failure_) co_return *failure_;
  co_return Done{};
}

std::string Channel::TakeUnread() {
  std::string rest = buffer_.substr(consumed_);
  buffer_.clear();
  consumed_ = 0;
  return rest;
}

}  // namespace pgvalet::io
