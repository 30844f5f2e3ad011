#include "console/command.h"

namespace pgvalet::console {

const char* HelpText() {
  return "Console usage\n"
         "\tSHOW HELP|CONFIG|DATABASES|POOLS|CLIENTS|SERVERS|USERS|VERSION|STATE\n"
         "\tSHOW STATS|STATS_TOTALS|STATS_AVERAGES|TOTALS|LISTS|MEM\n"
         "\tSHOW ALERTS|EVENTS|PINS|SESSIONS\n"
         "\tSHOW SOCKETS|ACTIVE_SOCKETS|FDS|PEERS|PEER_POOLS|DNS_HOSTS|DNS_ZONES\n"
         "\tSET key = arg\n"
         "\tRELOAD\n"
         "\tPAUSE [<db>]\n"
         "\tRESUME [<db>]\n"
         "\tSUSPEND\n"
         "\tDISABLE <db>\n"
         "\tENABLE <db>\n"
         "\tRECONNECT [<db>]\n"
         "\tKILL [<db>]\n"
         "\tKILL_CLIENT <client_id>\n"
         "\tWAIT_CLOSE [<db>]\n"
         "\tSHUTDOWN\n"
         "\tSHUTDOWN WAIT_FOR_SERVERS\n"
         "\tSHUTDOWN WAIT_FOR_CLIENTS";
}

}  // namespace pgvalet::console
