#include "decode/unix_diag.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include "decode/netlink_attributes.h"

namespace hark::decode {

bool UnixSocketRecord::may_hold_descriptors() const {
  return queue > 0 || type != SOCK_STREAM;
}

Bytes unix_diag_request() {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = ~0U;
  request.udiag_show = UDIAG_SHOW_RQLEN;
  Bytes body;
  append_value(body, request);
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Result<std::vector<UnixSocketRecord>> decode_unix_diag(ByteView messages) {
  std::vector<UnixSocketRecord> out;
  NetlinkAnswer answer(messages, SOCK_DIAG_BY_FAMILY, "sock_diag answer for UNIX sockets");
  while (const auto body = answer.next()) {
    ByteReader reader(*body);
    const auto head = reader.value<unix_diag_msg>();
    if (!reader.ok()) return fail(answer.reject("the message is too short"));
    if (head.udiag_family != AF_UNIX) return fail(answer.reject("a socket of another family"));
    UnixSocketRecord record{
        .inode = head.udiag_ino, .type = head.udiag_type, .state = head.udiag_state, .queue = 0};
    NetlinkAttributes attributes(reader.take(reader.left()));
    while (const auto attribute = attributes.next()) {
      if (attribute->type != UNIX_DIAG_RQLEN) continue;
      const auto length = attribute->value<unix_diag_rqlen>();
      if (!length) return fail(answer.reject("a queue length of a wrong size"));
      record.queue = length->udiag_rqueue;
    }
    if (attributes.broken()) {
      return fail(answer.reject("an attribute is cut off or has an impossible length"));
    }
    out.push_back(record);
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

}  // namespace hark::decode
