#include "cli/top/terminal.h"

#include <langinfo.h>
#include <locale.h>
#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace pgvalet::cli {
namespace {

enum ColourPair : short { kGreen = 1, kYellow = 2, kRed = 3 };

attr_t AttributesOf(Style style, bool colour) {
  const auto pair = [colour](ColourPair number) {
    return colour ? static_cast<attr_t>(COLOR_PAIR(number)) : A_NORMAL;
  };
  switch (style) {
    case Style::kPlain:
      return A_NORMAL;
    case Style::kDim:
      return A_DIM;
    case Style::kBold:
      return A_BOLD;
    case Style::kHeader:
      return A_BOLD | A_UNDERLINE;
    case Style::kGood:
      return pair(kGreen);
    case Style::kWarning:
      return pair(kYellow);
    case Style::kBad:
      return pair(kRed) | A_BOLD;
    case Style::kSelected:
      return A_REVERSE;
  }
  return A_NORMAL;
}

Key KeyOf(int character) {
  switch (character) {
    case 'q':
    case 'Q':
      return Key::kQuit;
    case 'p':
    case ' ':
      return Key::kPause;
    case 's':
      return Key::kSort;
    case '1':
      return Key::kPools;
    case '2':
      return Key::kClients;
    case '3':
      return Key::kBackends;
    case '4':
      return Key::kUsage;
    case '5':
      return Key::kPins;
    case 'r':
      return Key::kReverse;
    case KEY_ENTER:
    case '\n':
    case '\r':
    case KEY_RIGHT:
      return Key::kEnter;
    case 27:  // Escape
    case KEY_BACKSPACE:
    case 127:
    case KEY_LEFT:
      return Key::kBack;
    case KEY_UP:
    case 'k':
      return Key::kUp;
    case KEY_DOWN:
    case 'j':
      return Key::kDown;
    case KEY_PPAGE:
      return Key::kPageUp;
    case KEY_NPAGE:
      return Key::kPageDown;
    case KEY_HOME:
      return Key::kHome;
    case KEY_END:
      return Key::kEnd;
    default:
      return Key::kNone;
  }
}

// ncurses draws characters by the locale of the process.
void UseUtf8() {
  setlocale(LC_CTYPE, "");
  if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

struct Terminal::Handle {
  explicit Handle(SCREEN* opened) : screen(opened) {}
  ~Handle() {
    endwin();
    delscreen(screen);
  }
  SCREEN* const screen;
};

Result<std::unique_ptr<Terminal>> Terminal::Open(bool colour) {
  UseUtf8();
  // A program sends an escape sequence at once: what comes so late was the key.
  set_escdelay(25);
  SCREEN* screen = newterm(nullptr, stdout, stdin);
  if (screen == nullptr) {
    const char* term = std::getenv("TERM");
    return Error{ErrorCode::kNotFound, "the terminal is not known", 0,
                 term == nullptr ? "TERM is not set" : std::string("TERM=") + term};
  }
  return std::unique_ptr<Terminal>(new Terminal(std::make_unique<Handle>(screen), colour));
}

Terminal::Terminal(std::unique_ptr<Handle> handle, bool colour)
    : handle_(std::move(handle)), colour_(colour && has_colors()) {
  cbreak();
  noecho();
  nonl();
  curs_set(0);
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  leaveok(stdscr, TRUE);
  if (!colour_) return;
  start_color();
  use_default_colors();
  init_pair(kGreen, COLOR_GREEN, -1);
  init_pair(kYellow, COLOR_YELLOW, -1);
  init_pair(kRed, COLOR_RED, -1);
}

Terminal::~Terminal() = default;

ScreenSize Terminal::size() const {
  ScreenSize size;
  getmaxyx(stdscr, size.rows, size.columns);
  return size;
}

void Terminal::Resize() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return;
  resizeterm(size.ws_row, size.ws_col);
  // What was on the glass has been moved by the terminal: draw all of it again.
  clearok(stdscr, TRUE);
}

void Terminal::Draw(const Lines& lines) {
  erase();
  int row = 0;
  for (const Line& line : lines) {
    move(row++, 0);
    for (const Span& span : line.spans()) {
      attrset(static_cast<int>(AttributesOf(span.style, colour_)));
      addstr(span.text.c_str());
    }
  }
  attrset(A_NORMAL);
  refresh();
}

Key Terminal::ReadKey() {
  while (true) {
    const int character = getch();
    if (character == ERR) return Key::kNone;
    const Key key = KeyOf(character);
    if (key != Key::kNone) return key;
  }
}

}  // namespace pgvalet::cli
