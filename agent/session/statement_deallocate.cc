// ClientSession: DEALLOCATE and DISCARD by SQL, of statements that were prepared by the protocol.
#include <cctype>

#include "session/client_session.h"
#include "session/context.h"
#include "session/statement_text.h"
#include "wire/body_reader.h"

namespace pgvalet::session {
namespace {

using wire::Sent;

// Messages that name things only.
constexpr std::size_t kMaxNameMessageBytes = 64 * 1024;
constexpr std::string_view kDeallocatedName = "PGVALET_DEALLOCATED";
constexpr std::string_view kDeallocate = "DEALLOCATE \"PGVALET_DEALLOCATED\"";

}  // namespace

// DISCARD ALL and DEALLOCATE ALL are known by the tags of their answers.  A client that names a
// statement right behind such a query has to wait for that.
void ClientSession::HoldNamesBehindDiscard(wire::Bytes query) {
  if (RenamesStatements() && HasDropOfStatements(wire::AsText(query))) {
    lease_->exchange.HoldNames();
  }
}

// DEALLOCATE by SQL of a statement that was prepared by the protocol: the server knows it by our
// name, if at all, and others may use it.  Drivers do that to statements they no longer want.
// The server deallocates a statement of no text instead, made just before: that cannot fail, and
// nothing that can may go ahead of a simple query, which the server would skip with no Sync to end
// that.  `sql` is the client's; empty when it names no statement.
std::string ClientSession::NameToDeallocate(std::string_view sql) const {
  constexpr std::size_t kLongest = 256;
  if (!RenamesStatements() || sql.size() > kLongest) return {};
  const std::size_t begin = sql.find_first_not_of(" \t\r\n;");
  if (begin == std::string_view::npos || (sql[begin] | 0x20) != 'd') return {};
  return DeallocatedName(sql);
}

void ClientSession::MakeDeallocatable(MessageBatch& batch) {
  PrepareServer(batch);
  std::string& out = batch.Insert();
  wire::AppendCloseStatement(out, kDeallocatedName);  // of a DEALLOCATE that failed
  lease_->exchange.OnSent(Sent::kOwnClose);
  wire::AppendParse(out, kDeallocatedName, std::string_view("\0\0\0", 3));
  lease_->exchange.OnSent(Sent::kOwnParse);
}

// By a simple query.
std::optional<ClientSession::Step> ClientSession::TakeDeallocate(const wire::Header& header,
                                                                 MessageBatch& batch) {
  const wire::Bytes body = batch.BodyOf(header);
  if (header.total() > kMaxNameMessageBytes) return std::nullopt;
  if (!body.empty() && std::isalpha(body[0]) != 0 && (body[0] | 0x20) != 'd') return std::nullopt;
  if (batch.left() < header.total()) return Step::kNeedMore;
  wire::BodyReader reader(body);
  const std::string name = NameToDeallocate(reader.TakeString());
  if (name.empty()) return std::nullopt;
  if (MustSettleFirst()) return Step::kNeedMore;
  if (statements_.Find(name) == nullptr) return std::nullopt;
  MakeDeallocatable(batch);
  wire::AppendQuery(batch.Insert(), kDeallocate);
  batch.Skip(header.total());
  lease_->request_at = context_->loop().now();
  lease_->exchange.OnSent(Sent::kQuery, wire::DropsName(*statements_.Find(name), name));
  statements_.Erase(name);
  return Step::kNext;
}

bool ClientSession::UnnamedDeallocates() const { return UnnamedText().starts_with(kDeallocate); }

// By an unnamed statement, as psycopg does it; whoever parses it, executes it.
std::string ClientSession::NameToDeallocate(const wire::Header& header,
                                            const MessageBatch& batch) const {
  wire::BodyReader reader(batch.BodyOf(header));
  reader.TakeString();
  return NameToDeallocate(reader.TakeString());
}

ClientSession::Step ClientSession::DeallocateByParse(const wire::Header& header,
                                                     MessageBatch& batch, std::string_view name) {
  MakeDeallocatable(batch);
  std::string tail(kDeallocate);
  tail.append(3, '\0');  // no parameter types
  wire::AppendParse(batch.Insert(), "", tail);
  unnamed_parse_.assign(1, '\0').append(tail);
  batch.Skip(header.total());
  NoteRequest();
  lease_->exchange.OnSent(Sent::kParse, wire::DropsName(*statements_.Find(name), name));
  statements_.Erase(name);
  return Step::kNext;
}

}  // namespace pgvalet::session
