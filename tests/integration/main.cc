// Runs the integration tests; see support/cluster.h for what they run against.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "support/cluster.h"

namespace {

// A test that hangs must not hang the whole run, and must say which one it was.
constexpr unsigned kLongestTest = 60;  // seconds

char current_test[256];

void GiveUp(int /*signal*/) {
  constexpr char kText[] = "hangs: ";
  (void)!write(STDERR_FILENO, kText, sizeof kText - 1);
  (void)!write(STDERR_FILENO, current_test, strlen(current_test));
  (void)!write(STDERR_FILENO, "\n", 1);
  _exit(124);
}

class Watchdog : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    snprintf(current_test, sizeof current_test, "%s.%s", test.test_suite_name(), test.name());
    alarm(kLongestTest);
  }
  void OnTestEnd(const testing::TestInfo& /*test*/) override { alarm(0); }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, &GiveUp);
  testing::UnitTest::GetInstance()->listeners().Append(new Watchdog);
  const int status = RUN_ALL_TESTS();
  pgvalet::integration::StopTheCluster();
  return status;
}
