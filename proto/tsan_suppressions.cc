// For builds under ThreadSanitizer alone: what to leave out of its reports.
//
// The system's gRPC, absl and protobuf are not built with it, and absl's mutexes are futexes that
// it cannot see, so every hand-over inside them looks like a race.  Linked into each program that
// uses gRPC; the sanitizer's run-time asks for the list by this name.
//
// The same holds for the TLS of its channels: OpenSSL's memory goes from thread to thread by those
// mutexes.  Only reports are left out: the locks of OpenSSL that the sanitizer sees still count.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libgrpc.so\n"
         "called_from_lib:libgrpc++.so\n"
         "called_from_lib:libgpr.so\n"
         "called_from_lib:libprotobuf.so\n"
         "race:libgrpc\n"
         "race:libgpr.so\n"
         "race:libabsl_\n"
         "race:libprotobuf\n"
         "race:libcrypto.so\n"
         "race:libssl.so\n"
         "race:^grpc::\n";
}
