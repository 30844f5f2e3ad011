#include "auth/user_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "samples.h"

namespace pgvalet::auth {
namespace {

using std::string_literals::operator""s;

UserDirectoryPtr Users(std::string_view text) {
  return UserDirectory::Parse(text, "userlist.txt").value();
}

void ExpectMistake(std::string_view text, const std::string& where) {
  const Result<UserDirectoryPtr> users = UserDirectory::Parse(text, "userlist.txt");
  ASSERT_FALSE(users) << text;
  EXPECT_EQ(users.error().code, ErrorCode::kInvalidSetting);
  EXPECT_EQ(users.error().detail, where) << text;
  EXPECT_EQ(users.error().ToString().find("hidden"), std::string::npos) << text;
}

TEST(UserDirectoryTest, ReadsEveryKindOfSecret) {
  const UserDirectoryPtr users =
      Users("\"plain\" \"secret\"\n\"mia\" \"" + std::string(kMiasHash) + "\"\n\"bob\" \"" +
            std::string(kBobsVerifier) + "\"\n\"nobody\" \"\"\n");

  ASSERT_EQ(users->size(), 4u);
  EXPECT_EQ(users->Find("plain")->plain(), "secret");
  EXPECT_EQ(users->Find("mia")->kind(), SecretKind::kMd5);
  EXPECT_EQ(users->Find("bob")->kind(), SecretKind::kScram);
  EXPECT_EQ(users->Find("nobody")->kind(), SecretKind::kNone);
  EXPECT_EQ(users->Find("PLAIN"), nullptr);
  EXPECT_EQ(users->Find(""), nullptr);
}

TEST(UserDirectoryTest, TakesWhatPgBouncerTakes) {
  const UserDirectoryPtr users = Users(
      "; comment \"x\" \"y\"\n"
      "  ; indented comment\n"
      "# another\n"
      "\n \t \r\n"
      "  \"quo\"\"te\" \t \"say \"\"hi\"\"\" what follows is ignored\r\n"
      "\"a;b#c\" \"d;e#f\"\n"
      "\"last\" \"without line end\"");

  EXPECT_EQ(users->Find("quo\"te")->plain(), "say \"hi\"");
  EXPECT_EQ(users->Find("a;b#c")->plain(), "d;e#f");
  EXPECT_EQ(users->Find("last")->plain(), "without line end");
  EXPECT_EQ(users->size(), 3u);
}

TEST(UserDirectoryTest, LastLineOfANameCounts) {
  const UserDirectoryPtr users = Users("\"a\" \"1\"\n\"b\" \"2\"\n\"a\" \"3\"\n");

  EXPECT_EQ(users->Find("a")->plain(), "3");
  EXPECT_EQ(users->repeated(), std::vector<std::string>{"a"});
}

TEST(UserDirectoryTest, EmptyTextHasNoUsers) {
  EXPECT_EQ(Users("")->size(), 0u);
  EXPECT_EQ(Users("\n\n;")->size(), 0u);
}

TEST(UserDirectoryTest, MistakesNameFileAndLineButNotTheSecret) {
  ExpectMistake("\"a\" \"b\"\n\n\"c\" hidden", "userlist.txt, line 3");
  ExpectMistake("hidden", "userlist.txt, line 1");
  ExpectMistake("\"a", "userlist.txt, line 1");
  ExpectMistake("\"a\"", "userlist.txt, line 1");
  ExpectMistake("\"a\"\n\"hidden\"", "userlist.txt, line 1");
  ExpectMistake("\"a\" \"hidden", "userlist.txt, line 1");
  ExpectMistake("\"a\" \"hidden\nnext line\"", "userlist.txt, line 1");
  ExpectMistake("\"\" \"hidden\"", "userlist.txt, line 1");
  ExpectMistake("\"a\" \"SCRAM-SHA-256$hidden\"", "userlist.txt, line 1");
  ExpectMistake("\"a\" \"hidden\0\""s, "userlist.txt, line 1");
  ExpectMistake("\"a\0\" \"hidden\""s, "userlist.txt, line 1");
  ExpectMistake("\"" + std::string(128, 'n') + "\" \"hidden\"", "userlist.txt, line 1");
  ExpectMistake("\"a\" \"" + std::string(Secret::kMaxTextBytes + 1, 'p') + "\"",
                "userlist.txt, line 1");
}

TEST(UserDirectoryTest, QuotingAnyTextAndReadingItGivesTheText) {
  std::string text;
  for (int c = 1; c < 256; ++c) {
    if (c != '\n') text += static_cast<char>(c);
  }
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);

  EXPECT_EQ(Users("\"user\" " + quoted + "\"")->Find("user")->plain(), text);
}

TEST(UserDirectoryTest, SecretOutlivesAReload) {
  UserDirectoryPtr users = Users("\"a\" \"old\"");
  const std::shared_ptr<const Secret> secret = FindSecret(users, "a");

  users = Users("\"a\" \"new\"");

  EXPECT_EQ(secret->plain(), "old");
  EXPECT_EQ(FindSecret(users, "b"), nullptr);
  EXPECT_EQ(FindSecret(nullptr, "a"), nullptr);
}

struct UserFileTest : testing::Test {
  void SetUp() override {
    std::string name = testing::TempDir() + "pgvalet-auth-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::string Write(const std::string& text) {
    const std::string path = directory + "/userlist.txt";
    std::ofstream(path) << text;
    return path;
  }

  std::string directory;
};

TEST_F(UserFileTest, IsRead) {
  EXPECT_EQ((*UserDirectory::Load(Write("\"a\" \"b\"\n")))->Find("a")->plain(), "b");
  EXPECT_EQ((*UserDirectory::Load(Write("")))->size(), 0u);
}

TEST_F(UserFileTest, MistakeNamesItsPath) {
  const std::string path = Write("\n\"a\"\n");

  EXPECT_EQ(UserDirectory::Load(path).error().detail, path + ", line 2");
}

TEST_F(UserFileTest, ThatDoesNotExistIsAnErrorOfTheSystem) {
  const Result<UserDirectoryPtr> users = UserDirectory::Load(directory + "/missing");

  ASSERT_FALSE(users);
  EXPECT_EQ(users.error().code, ErrorCode::kIo);
  EXPECT_EQ(users.error().os_errno, ENOENT);
}

TEST_F(UserFileTest, MustBeAPlainFile) {
  EXPECT_EQ(UserDirectory::Load(directory).error().code, ErrorCode::kIo);
  EXPECT_EQ(UserDirectory::Load("/dev/zero").error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace pgvalet::auth
