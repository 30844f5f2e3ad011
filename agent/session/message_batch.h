// MessageBatch: passes a run of messages on, with changes, and copies only where something changes.
//
// Messages that go on as they came are sent from where they lie.  The first change moves what came
// before it, and all that follows, into an assembly buffer.  Either way it is one send.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "wire/protocol.h"

namespace pgvalet::session {

class MessageBatch {
 public:
  // `data` and `assembly` outlive the batch; `assembly` is empty.
  MessageBatch(wire::Bytes data, std::string& assembly) : data_(data), assembly_(assembly) {}

  std::size_t left() const { return data_.size() - at_; }
  wire::Bytes rest() const { return data_.subspan(at_); }
  // Of the message that is next: as much of its body as is here.
  wire::Bytes BodyOf(const wire::Header& header) const {
    const std::size_t here = std::min(header.total(), left());
    return data_.subspan(at_ + wire::kHeaderBytes, here - wire::kHeaderBytes);
  }
  // Bytes passed or skipped.
  std::size_t consumed() const { return at_; }

  // The next `bytes` go on unchanged.
  void Pass(std::size_t bytes) { at_ += bytes; }
  // The next `bytes` do not go on.
  void Skip(std::size_t bytes) {
    Gather();
    at_ += bytes;
    run_ = at_;
  }
  // Where to append messages that go on before the next byte.
  std::string& Insert() {
    Gather();
    return assembly_;
  }

  // Everything that goes on.
  wire::Bytes Result() {
    if (!gathered_) return data_.first(at_);
    Gather();
    return wire::AsBytes(assembly_);
  }

 private:
  void Gather() {
    assembly_.append(wire::AsText(data_.subspan(run_, at_ - run_)));
    run_ = at_;
    gathered_ = true;
  }

  wire::Bytes data_;
  std::string& assembly_;
  std::size_t at_ = 0;   // next byte to decide on
  std::size_t run_ = 0;  // bytes from here to at_ go on and are not in the assembly yet
  bool gathered_ = false;
};

}  // namespace pgvalet::session
