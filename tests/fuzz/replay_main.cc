// Runs a fuzz target over its corpus, without a fuzzer: `fuzz_x DIRECTORY...`
//
// Each file is given whole and then cut at every length, so that a read beyond a message's end is
// found by the sanitizer builds even where the corpus holds only whole messages.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kMostCuts = 1024;

void Run(const std::string& input, std::size_t size) {
  // A block of exactly this size: one byte further is somebody else's.
  const auto copy = std::make_unique<std::uint8_t[]>(size);
  std::copy_n(input.begin(), size, copy.get());
  LLVMFuzzerTestOneInput(copy.get(), size);
}

void Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(file), {}};
  Run(input, input.size());
  for (std::size_t size = 0; size < std::min(input.size(), kMostCuts); ++size) Run(input, size);
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      Replay(entry.path());
      ++files;
    }
  }
  std::printf("%d inputs replayed\n", files);
  return files > 0 ? 0 : 1;  // an empty corpus is a mistake in the call
}
