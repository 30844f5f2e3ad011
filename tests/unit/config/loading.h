// How the tests load settings: files in a folder of their own, no process state.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"

namespace pgvalet::config {

// A folder that is gone when the test ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "pgvalet-config-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Writes a file and returns its path.
  std::string Write(const std::string& name, std::string_view text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// One call of Load(), from parts.
struct Loading {
  TemporaryFolder folder;
  CommandLine command_line;
  Environment environment;

  Loading& File(std::string_view text) {
    command_line.config_file = folder.Write("pgvalet.toml", text);
    return *this;
  }
  Loading& Ini(std::string_view text) {
    command_line.config_file = folder.Write("pgbouncer.ini", text);
    return *this;
  }
  Loading& Uri(std::string text) {
    command_line.database_url = std::move(text);
    return *this;
  }
  Loading& Set(std::string key, std::string value) {
    command_line.overrides.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  Loading& Variable(std::string name, std::string value) {
    environment[std::move(name)] = std::move(value);
    return *this;
  }

  Result<Loaded> Run() const { return Load(command_line, environment); }

  // The settings; a mistake fails the test.
  Loaded Good() const {
    Result<Loaded> loaded = Run();
    if (loaded) return *std::move(loaded);
    ADD_FAILURE() << loaded.error().detail;
    return Loaded{std::make_shared<Settings>(), {}, {}};
  }
  // The mistakes, without the folder in their places; none fails the test.
  std::string Mistakes() const {
    const Result<Loaded> loaded = Run();
    EXPECT_FALSE(loaded) << "loaded, but mistakes were expected";
    return loaded ? std::string() : WithoutFolder(loaded.error().detail);
  }
  std::string Warnings() const {
    std::string all;
    for (const std::string& warning : Good().warnings) all += warning + "\n";
    return WithoutFolder(all);
  }
  std::string WithoutFolder(std::string text) const {
    const std::string prefix = folder.path() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }
};

// A file in which somebody can log in to something.
inline constexpr std::string_view kComplete =
    "auth_file = \"users.txt\"\n"
    "[databases]\n"
    "app = \"host=db1\"\n";

// `top` above the sections of kComplete.
inline std::string Complete(std::string_view top) {
  return std::string(top) + "\n" + std::string(kComplete);
}

}  // namespace pgvalet::config
