#include <gtest/gtest.h>

#include <string>

#include "auth/scram.h"
#include "samples.h"

namespace pgvalet::auth {
namespace {

struct Role {
  const char* claim;
  const char* password;
  const char* verifier;  // made by PostgreSQL 15
};

class SaslprepTest : public testing::TestWithParam<Role> {};

TEST_P(SaslprepTest, GivesTheKeysPostgresGives) {
  const ScramVerifier verifier = ParseScramVerifier(GetParam().verifier).value();

  const ScramKeys keys = DeriveScramKeys(GetParam().password, verifier.salt, 4096).value();

  EXPECT_TRUE(keys.BelongTo(verifier));
}

INSTANTIATE_TEST_SUITE_P(
    Verifiers, SaslprepTest,
    testing::Values(
        Role{"InvalidUtf8StaysAsItIs", "caf\xe9",
             "SCRAM-SHA-256$4096:6Im61T3SZqe6bRgums30Pg==$8oUlZPmm5bne2lf/"
             "xhw6BCfHlGes615Cv9yljyNG1GY=:PAnZjVSeW0/qgOyxteyGpp3P2czFgIeC6R/jIHR3tJE="},
        Role{"SoftHyphenIsDropped", "I\xc2\xadX",
             "SCRAM-SHA-256$4096:uCcI84OSxcYneD3xn3oL/"
             "g==$7puTMKBT0SUmWw423MU3sIiF+22tEafu7gy7oPWvfAc=:SkTNx1efiSDhW4WGG9js62dAgR+QXfNUoq3+"
             "3Yv8Mc8="},
        Role{"OrdinalBecomesALetter", "\xc2\xaa",
             "SCRAM-SHA-256$4096:aYMTtDyNBVkumUsJHXS8ig==$JPLdAqEBEuiFaFn71+"
             "msmTqRAzWgsJdlR3rAp8FWLmo=:yOEgeZSkATcrhw5eH7slu3aGQoZ182z4b/La1mbYdoA="},
        Role{"RomanNumeralBecomesLetters", "\xe2\x85\xa8",
             "SCRAM-SHA-256$4096:O/xE8VEPeitqe+nm8b4sOw==$PP41h9mtJ36Rc3p5Yx/"
             "BFMApbBLFQJKZYCk1pzR8bQk=:ygEO3SG3ghHXoD7/r/g88U3KFsY7RXMybcTisydIk74="},
        Role{"ComposedUmlautsStay", "p\xc3\xa4ssw\xc3\xb6rd",
             "SCRAM-SHA-256$4096:M5+uzD8jqSgX4gBUMIJSOQ==$fYFHfhPB00WsL/cvnqvLCI1W4ahawnH5kNKcy/"
             "DyL+4=:JEXhtJ2MZ2UgstETU3MpaHwdbHpYv4Fq/4ZYTTTIKn0="},
        Role{"UmlautsAreComposed", "pa\xcc\x88ssw\xc3\xb6rd",
             "SCRAM-SHA-256$4096:D+wePt9wmGwA98QpBYztIg==$"
             "5vDy9MpUBfjFqdl9LLo62N40W1S8bsxGjw1paobnWPg=:"
             "6Eu1GdPa2pOtkB940crGLKMdfFUx4UVrWP5sMo7C8tA="},
        Role{"CharacterUnknownToUnicode32StaysAsItIs", "\xc8\xa1",
             "SCRAM-SHA-256$4096:3jqPulPMwLY1TXMeCMh76g==$GTzpMOFRv70VnMetZYTpLakrB98QMdI78kTU+"
             "OZSvqU=:lVMpzUS+8dSsvbI8eifGhoE67TjwsMI50yhVB8fNjec="},
        Role{"DirectionIsCheckedBeforeNormalization", "\xef\xac\x9d",
             "SCRAM-SHA-256$4096:Rxs5trTcZgNzPvpR0+7Y2w==$"
             "PKxN9VmAgjLenWmELGhfZYcTYLwGaZA9IphItc20boo=:6bXo5tIB5/"
             "6BuJEKpOBbp4gqSrFjw5d9kr63N92YqOI="},
        Role{"HardSpaceBecomesASpace",
             "a\xc2\xa0"
             "b",
             "SCRAM-SHA-256$4096:LDWFruW476vjXmMmH+texQ==$23VbB7a/"
             "ePkrlvMJ+T3Cjd26p2JcwppHrZBG8lDW0mc=:uyRj1kbGa1BjDRlW/DI2svIcW7J6BhQABrtl43Ti12I="},
        Role{"WhatWouldBecomeEmptyStaysAsItIs", "\xc2\xad",
             "SCRAM-SHA-256$4096:t/uR+Eii8gd1kpObhZ1Efw==$fioTlX8x/"
             "ZoK8a3Ov+6FPWxuHe2ExlU6wqsvuYm3Vac=:zWqMDXO74uSi6VUC7PEkZBFPUUWAg0FFi6nBkYCmOcI="},
        Role{"AsciiControlCharacterStays",
             "a\x07"
             "b",
             "SCRAM-SHA-256$4096:8fEYsMctfoxdmhQAuzAUEQ==$zjLDWLV4OJRRwBFlLmV1pFbOQ/PQ72ykXJ30Crk/"
             "mNU=:dQY3FEvPBVR3fGgozftb5k8xpK72DjeuvXYrIRhvQcg="},
        Role{"MixedDirectionsStayAsTheyAre", "\xd8\xa7x",
             "SCRAM-SHA-256$4096:gjkeuv6cfy2EURb3ktJsyQ==$"
             "fdwVJN3OYt2pRA98tjQFUlB9Qc5BtZX6Ay2QRbJrcbs=:3+FxkFqpQ/"
             "jNnTNPWIrWrHnafywcq4wjBrdSlmkKOOU="}),
    [](const testing::TestParamInfo<Role>& role) { return std::string(role.param.claim); });

TEST(PreparePasswordTest, NormalizesWhatMaySafelyDiffer) {
  EXPECT_EQ(PreparePassword("I\xc2\xadX").view(), "IX");
  EXPECT_EQ(PreparePassword("\xe2\x85\xa8").view(), "IX");
  EXPECT_EQ(PreparePassword("\xc2\xaa").view(), "a");
  EXPECT_EQ(PreparePassword("a\xc2\xa0").view(), "a ");
}

TEST(PreparePasswordTest, LeavesAloneWhatItMayNotChange) {
  using std::string_literals::operator""s;

  for (const std::string& text :
       {"plain"s, ""s, "\x01\x7f"s, "caf\xe9"s, "\xc2"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s,
        "\xc2\xad"s, "\xc3\xa4\0x"s, "\xc3\xa4\x07"s}) {
    EXPECT_EQ(PreparePassword(text).view(), text);
  }
}

TEST(PreparePasswordTest, HasRoomForTheCharacterThatGrowsMost) {
  std::string text;
  for (int i = 0; i < 900; ++i) text += "\xef\xb7\xba";  // U+FDFA: 18 characters when normalized

  EXPECT_EQ(PreparePassword(text).view().size(), 900u * 33);
}

TEST(PreparePasswordTest, PreparingTwiceChangesNothingMore) {
  for (const char* text :
       {"p\xc3\xa4ss", "pa\xcc\x88ss", "I\xc2\xadX", "\xe2\x85\xa8", "caf\xe9"}) {
    const SecretText once = PreparePassword(text);
    EXPECT_EQ(PreparePassword(once.view()).view(), once.view());
  }
}

}  // namespace
}  // namespace pgvalet::auth
