/*
 * loadgen - SIP MESSAGE store / delivery load generator and checker.
 *
 *   loadgen store    send distinct MESSAGEs, account for every answer
 *   loadgen collect  REGISTER users, act as their terminal (SIP MESSAGE and
 *                    MSRP sink), account for every delivered id
 *   loadgen verify   compare acknowledged, delivered and stored id sets
 *   loadgen echo     UDP sink answering 202 to everything (calibration: how
 *                    fast the generator itself can go)
 *
 * One process, one thread, epoll, sendmmsg/recvmmsg for UDP.
 * Every message carries "id=<run 8 hex>-<seq 10 digits>-<user 8 digits>;" at the start of its body,
 * the user index of message seq is (seq - first_seq) % users unless --hash.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MAXPKT 70000

typedef uint64_t u64;
typedef uint32_t u32;

static u64 now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u64)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char *fmt, ...) {
  va_list a;
  va_start(a, fmt);
  vfprintf(stderr, fmt, a);
  va_end(a);
  fprintf(stderr, errno ? ": %s\n" : "\n", strerror(errno));
  exit(2);
}

/* ---------------------------------------------------------------- options */
static struct {
  const char *host, *transport, *domain, *prefix, *acklog, *deliverlog, *acked, *run, *timeline, *storedids;
  int port, socks, outstanding, body, contact_port, msrp_port, retrans, ride, hash, window, thirdparty, quiet, pace_users;
  u64 count, users, first_seq, first_user, expect;
  double rate, duration, timeout, idle;
} o = {.host = "127.0.0.1", .transport = "udp", .domain = "127.0.0.1", .prefix = "u", .run = NULL, .port = 5060,
       .socks = 4, .outstanding = 32, .body = 200, .contact_port = 7070, .msrp_port = 7855, .retrans = 1, .window = 50,
       .users = 1000, .timeout = 8, .idle = 10};

static struct sockaddr_in target;
static char run_id[9];

/* ------------------------------------------------------- per message state */
enum { ST_NEW = 0, ST_SENT = 1, ST_ACKED = 2, ST_OTHER = 3, ST_LOST = 4 };
static unsigned char *st;
static u64 *t_sent, *t_last; /* first send (or due time), last send */
static u32 *lat_us;
static unsigned char *rtx;
static unsigned short *sock_of; /* it was first sent on */
static u64 cap, next_i; /* index = seq - first_seq */
static void grow(u64 need) {
  if (need < cap) return;
  u64 n = cap ? cap * 2 : 1 << 16;
  while (n <= need) n *= 2;
  st = realloc(st, n);
  rtx = realloc(rtx, n);
  sock_of = realloc(sock_of, n * 2);
  t_sent = realloc(t_sent, n * 8);
  t_last = realloc(t_last, n * 8);
  lat_us = realloc(lat_us, n * 4);
  memset(st + cap, 0, n - cap);
  memset(rtx + cap, 0, n - cap);
  cap = n;
}
static u64 user_of(u64 seq) {
  u64 x = seq - o.first_seq;
  if (o.hash) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ull;
    x ^= x >> 33;
  }
  return o.first_user + x % o.users;
}

/* -------------------------------------------------------------- sip writer */
struct tmpl {
  char *p;
  int len;
  int n;
  struct { int off, kind; } f[16]; /* kind 0: seq, 1: user */
};
static void dec(char *p, u64 v, int w) {
  for (int i = w - 1; i >= 0; i--) {
    p[i] = '0' + v % 10;
    v /= 10;
  }
}
static void mk_tmpl(struct tmpl *t, int lport) {
  char tr[4];
  strcpy(tr, strcasecmp(o.transport, "udp") ? "TCP" : "UDP");
  char *b = malloc(o.body + 4096);
  int n = sprintf(b,
                  "MESSAGE sip:%s########@%s SIP/2.0\r\n"
                  "Via: SIP/2.0/%s 127.0.0.1:%d;branch=z9hG4bK%s@@@@@@@@@@\r\n"
                  "Max-Forwards: 70\r\n"
                  "From: \"Sender\" <sip:sender@%s>;tag=t%s@@@@@@@@@@\r\n"
                  "To: <sip:%s########@%s>\r\n"
                  "Call-ID: %s-@@@@@@@@@@@lg.invalid\r\n"
                  "CSeq: 1 MESSAGE\r\n"
                  "P-Asserted-Identity: <sip:sender@%s>\r\n"
                  "Accept-Contact: *;+g.oma.sip-im;require;explicit\r\n"
                  "User-Agent: loadgen/1 OMA1.0\r\n"
                  "Content-Type: text/plain;charset=UTF-8\r\n"
                  "Content-Length: %d\r\n\r\n",
                  o.prefix, o.domain, tr, lport, run_id, o.domain, run_id, o.prefix, o.domain, run_id, o.domain, o.body);
  /* ten of the eleven @ of the Call-ID become digits; the last one stays */
  int body0 = n;
  int m = sprintf(b + n, "id=%s-@@@@@@@@@@-########;", run_id);
  if (m > o.body) die("--body must be at least %d", m);
  for (int i = n + m; i < n + o.body; i++) b[i] = 'a' + (i * 7 + i / 26) % 26;
  n = body0 + o.body;
  t->p = b;
  t->len = n;
  t->n = 0;
  for (int i = 0; i < body0 + m; i++) {
    if (!memcmp(b + i, "@@@@@@@@@@", 10)) {
      t->f[t->n].off = i;
      t->f[t->n++].kind = 0;
      memset(b + i, '0', 10);
      i += 9;
    } else if (!memcmp(b + i, "########", 8)) {
      t->f[t->n].off = i;
      t->f[t->n++].kind = 1;
      memset(b + i, '0', 8);
      i += 7;
    }
  }
}
static void patch(struct tmpl *t, char *p, u64 seq) {
  char d[10], u[8];
  dec(d, seq, 10);
  dec(u, user_of(seq), 8);
  for (int i = 0; i < t->n; i++)
    if (t->f[i].kind == 0) memcpy(p + t->f[i].off, d, 10);
    else memcpy(p + t->f[i].off, u, 8);
}

/* ------------------------------------------------------------- connections */
enum { K_UDP, K_TCP, K_TCPL, K_MSRPL, K_MSRP };
struct conn {
  int fd, kind, up, lport, id, want_out;
  struct tmpl t;
  char *slab; /* BATCH message copies for UDP */
  char *in;
  int in_n, in_cap;
  char *out;
  int out_n, out_cap, out_off;
  u64 retry_at;
  u64 *pend; int pn, pcap; /* sequence numbers to resend after a reconnect */
  struct sockaddr_in peer;
};
static struct conn *conns[4096];
static int nconns;
static int ep;
static int rcvbuf_of(int fd, int n) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n, sizeof n)) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof n);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &n, sizeof n)) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
  return fd;
}
static void ep_add(struct conn *c, int ev) {
  struct epoll_event e = {.events = ev, .data.ptr = c};
  if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e)) die("epoll add");
}
static void ep_mod(struct conn *c, int ev) {
  struct epoll_event e = {.events = ev, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static int local_port(int fd) {
  struct sockaddr_in a;
  socklen_t l = sizeof a;
  getsockname(fd, (void *)&a, &l);
  return ntohs(a.sin_port);
}
static struct conn *new_conn(int kind) {
  struct conn *c = calloc(1, sizeof *c);
  c->kind = kind;
  c->id = nconns;
  if (nconns >= 4096) die("too many connections");
  conns[nconns++] = c;
  return c;
}
static int is_tcp(void) { return !strcasecmp(o.transport, "tcp"); }

static void tcp_open(struct conn *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->in_n = c->out_n = c->out_off = 0;
  c->up = 0;
  c->want_out = 1;
  if (connect(c->fd, (void *)&target, sizeof target) && errno != EINPROGRESS) {
    close(c->fd);
    c->fd = -1;
    c->retry_at = now_ns() + 20000000;
    return;
  }
  ep_add(c, EPOLLIN | EPOLLOUT);
}
static struct conn *client(void) {
  if (is_tcp()) {
    struct conn *c = new_conn(K_TCP);
    /* the Via port only has to be syntactically fine on TCP */
    c->lport = 40000 + c->id;
    tcp_open(c);
    return c;
  }
  struct conn *c = new_conn(K_UDP);
  c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  rcvbuf_of(c->fd, 32 << 20);
  struct sockaddr_in a = {.sin_family = AF_INET};
  inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
  if (bind(c->fd, (void *)&a, sizeof a)) die("bind");
  if (connect(c->fd, (void *)&target, sizeof target)) die("connect");
  c->lport = local_port(c->fd);
  c->up = 1;
  ep_add(c, EPOLLIN);
  return c;
}
static void out_append(struct conn *c, const char *p, int n) {
  if (c->out_off && c->out_off == c->out_n) c->out_off = c->out_n = 0;
  if (c->out_n + n > c->out_cap) {
    if (c->out_off) {
      memmove(c->out, c->out + c->out_off, c->out_n - c->out_off);
      c->out_n -= c->out_off;
      c->out_off = 0;
    }
    while (c->out_n + n > c->out_cap) c->out_cap = c->out_cap ? c->out_cap * 2 : 1 << 18;
    c->out = realloc(c->out, c->out_cap);
  }
  memcpy(c->out + c->out_n, p, n);
  c->out_n += n;
}
static u64 conn_drops;
static void tcp_drop(struct conn *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->up = 0;
  conn_drops++;
  c->retry_at = now_ns() + 20000000;
}
static void out_flush(struct conn *c) {
  while (c->up && c->out_off < c->out_n) {
    int k = send(c->fd, c->out + c->out_off, c->out_n - c->out_off, MSG_NOSIGNAL);
    if (k < 0) {
      if (errno == EAGAIN) {
        if (!c->want_out) {
          c->want_out = 1;
          ep_mod(c, EPOLLIN | EPOLLOUT);
        }
        return;
      }
      tcp_drop(c);
      return;
    }
    c->out_off += k;
  }
  if (c->want_out && c->up) {
    c->want_out = 0;
    ep_mod(c, EPOLLIN);
  }
}

/* --------------------------------------------------------------- statistics */
static u64 n_sent, n_acked, n_other, n_rtx, n_dup, n_stray, n_lost, n_badwrite;
static u64 hist_status[1000];
static u64 t0, t_first_ack, t_last_ack, max_gap, gap_at;
static u64 *tl;
static int tl_n;
static long cpu_us(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000l + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}
static int cmp32(const void *a, const void *b) {
  u32 x = *(u32 *)a, y = *(u32 *)b;
  return x < y ? -1 : x > y;
}
static u64 outstanding;

static int on_response(const char *p, int n, u64 now) {
  if (n < 16 || memcmp(p, "SIP/2.0 ", 8)) return -1;
  int code = (p[8] - '0') * 100 + (p[9] - '0') * 10 + (p[10] - '0');
  int lim = n > 1200 ? 1200 : n;
  const char *b = memmem(p, lim, "branch=z9hG4bK", 14);
  if (!b || b + 14 + 18 > p + n || memcmp(b + 14, run_id, 8)) {
    n_stray++;
    return -1;
  }
  u64 seq = 0;
  for (int i = 0; i < 10; i++) seq = seq * 10 + (b[22 + i] - '0');
  if (code < 200) return 0;
  u64 i = seq - o.first_seq;
  if (i >= next_i) {
    n_stray++;
    return -1;
  }
  if (st[i] != ST_SENT) {
    n_dup++;
    if (st[i] == ST_LOST && code == 202) { /* late answer, still an acknowledgement */
      st[i] = ST_ACKED;
      n_acked++;
      n_lost--;
    }
    return 0;
  }
  outstanding--;
  lat_us[i] = (u32)((now - t_sent[i]) / 1000);
  if (code < 1000) hist_status[code]++;
  if (code == 202 || code == 200) {
    st[i] = ST_ACKED;
    n_acked++;
    if (!t_first_ack) t_first_ack = now;
    if (t_last_ack && now - t_last_ack > max_gap) {
      max_gap = now - t_last_ack;
      gap_at = t_last_ack - t0;
    }
    t_last_ack = now;
    int s = (now - t0) / 1000000000ull;
    if (s >= tl_n) {
      tl = realloc(tl, (s + 64) * 8);
      memset(tl + tl_n, 0, (s + 64 - tl_n) * 8);
      tl_n = s + 64;
    }
    tl[s]++;
  } else {
    st[i] = ST_OTHER;
    n_other++;
  }
  return 1;
}

/* length of one SIP message in a stream, 0 if incomplete */
static int sip_frame(const char *p, int n) {
  int skip = 0;
  while (skip < n && (p[skip] == '\r' || p[skip] == '\n')) skip++;
  const char *e = memmem(p + skip, n - skip, "\r\n\r\n", 4);
  if (!e) return 0;
  int cl = 0;
  for (const char *q = p + skip; q < e;) {
    const char *l = memchr(q, '\n', e + 2 - q);
    if (!l) break;
    if (!strncasecmp(q, "content-length:", 15)) cl = atoi(q + 15);
    else if (!strncasecmp(q, "l:", 2)) cl = atoi(q + 2);
    q = l + 1;
  }
  int tot = (int)(e + 4 - p) + cl;
  return tot <= n ? tot : 0;
}

/* -------------------------------------------------------------- store mode */
static u64 now_cached;
static void store_send(struct conn *c, u64 *seqs, int n, int resend) {
  if (c->kind == K_UDP) {
    static struct mmsghdr mm[BATCH];
    static struct iovec iv[BATCH];
    if (!c->slab) {
      c->slab = malloc((size_t)BATCH * c->t.len);
      for (int i = 0; i < BATCH; i++) memcpy(c->slab + (size_t)i * c->t.len, c->t.p, c->t.len);
    }
    for (int done = 0; done < n;) {
      int k = n - done > BATCH ? BATCH : n - done;
      for (int i = 0; i < k; i++) {
        char *p = c->slab + (size_t)i * c->t.len;
        patch(&c->t, p, seqs[done + i]);
        iv[i].iov_base = p;
        iv[i].iov_len = c->t.len;
        memset(&mm[i].msg_hdr, 0, sizeof mm[i].msg_hdr);
        mm[i].msg_hdr.msg_iov = &iv[i];
        mm[i].msg_hdr.msg_iovlen = 1;
      }
      int off = 0;
      while (off < k) {
        int r = sendmmsg(c->fd, mm + off, k - off, 0);
        if (r < 0) {
          if (errno == ECONNREFUSED) { n_badwrite++; r = sendmmsg(c->fd, mm + off, k - off, 0); }
          if (r < 0) { n_badwrite++; r = 1; } /* dropped; retransmission covers it */
        }
        off += r;
      }
      done += k;
    }
  } else {
    for (int i = 0; i < n; i++) {
      patch(&c->t, c->t.p, seqs[i]);
      if (c->up) out_append(c, c->t.p, c->t.len);
    }
    out_flush(c);
  }
  for (int i = 0; i < n; i++) {
    u64 x = seqs[i] - o.first_seq;
    t_last[x] = now_cached;
    if (resend) { if (rtx[x] < 255) rtx[x]++; }
  }
}
static int stop_req;
static void on_sig(int s) { (void)s; stop_req = 1; }

static void udp_read_responses(struct conn *c, int *freed) {
  static char *buf;
  static struct mmsghdr mm[BATCH];
  static struct iovec iv[BATCH];
  if (!buf) buf = malloc((size_t)BATCH * 4096);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      iv[i].iov_base = buf + (size_t)i * 4096;
      iv[i].iov_len = 4096;
      memset(&mm[i].msg_hdr, 0, sizeof mm[i].msg_hdr);
      mm[i].msg_hdr.msg_iov = &iv[i];
      mm[i].msg_hdr.msg_iovlen = 1;
    }
    int k = recvmmsg(c->fd, mm, BATCH, MSG_DONTWAIT, NULL);
    if (k < 0) {
      if (errno == ECONNREFUSED) { n_badwrite++; continue; }
      return;
    }
    u64 now = now_ns();
    for (int i = 0; i < k; i++)
      if (on_response(iv[i].iov_base, mm[i].msg_len, now) == 1) (*freed)++;
    if (k < BATCH) return;
  }
}
static void tcp_read(struct conn *c, int (*cb)(struct conn *, char *, int), int (*frame)(const char *, int)) {
  for (;;) {
    if (c->in_cap - c->in_n < 131072) {
      c->in_cap = c->in_cap ? c->in_cap * 2 : 1 << 19;
      c->in = realloc(c->in, c->in_cap);
    }
    int k = recv(c->fd, c->in + c->in_n, c->in_cap - c->in_n, 0);
    if (k <= 0) {
      if (k < 0 && errno == EAGAIN) return;
      tcp_drop(c);
      return;
    }
    c->in_n += k;
    int off = 0, f;
    while ((f = frame(c->in + off, c->in_n - off)) > 0) {
      cb(c, c->in + off, f);
      off += f;
      if (c->fd < 0) return;
    }
    if (off) {
      memmove(c->in, c->in + off, c->in_n - off);
      c->in_n -= off;
    }
    if (k < 65536) return;
  }
}
static int freed_by_tcp;
static int store_cb(struct conn *c, char *p, int n) {
  (void)c;
  while (n && (*p == '\r' || *p == '\n')) p++, n--;
  if (on_response(p, n, now_ns()) == 1) freed_by_tcp++;
  return 0;
}

static double fin_elapsed;
static void report_store(void) {
  u64 m = 0;
  u32 *s = malloc((n_acked + 1) * 4);
  double sum = 0;
  for (u64 i = 0; i < next_i; i++)
    if (st[i] == ST_ACKED && m < n_acked && lat_us[i]) {
      s[m++] = lat_us[i];
      sum += lat_us[i];
    }
  qsort(s, m, 4, cmp32);
#define PC(q) (m ? s[(u64)((m - 1) * (q))] : 0)
  double el = (t_last_ack > t0 ? t_last_ack - t0 : 1) / 1e9;
  printf("{\"mode\":\"store\",\"transport\":\"%s\",\"body\":%d,\"outstanding\":%d,\"rate\":%.0f,\"users\":%lu,\"sent\":%lu,"
         "\"acked\":%lu,\"other\":%lu,\"lost\":%lu,\"unanswered\":%lu,\"retransmitted\":%lu,\"dup_answers\":%lu,\"stray\":%lu,"
         "\"send_errors\":%lu,\"conn_drops\":%lu,\"elapsed_s\":%.3f,\"acked_per_s\":%.0f,\"lat_us\":{\"mean\":%.0f,\"p50\":%u,"
         "\"p90\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u},\"max_gap_ms\":%.1f,\"gap_at_s\":%.2f,\"gen_cpu_s\":%.2f,\"run\":\"%s\",\"status\":{",
         o.transport, o.body, o.outstanding, o.rate, o.users, n_sent, n_acked, n_other, n_lost, outstanding, n_rtx, n_dup,
         n_stray, n_badwrite, conn_drops, el, n_acked / el, m ? sum / m : 0.0, PC(.5), PC(.9), PC(.99), PC(.999),
         m ? s[m - 1] : 0, max_gap / 1e6, gap_at / 1e9, cpu_us() / 1e6, run_id);
  int first = 1;
  for (int i = 0; i < 1000; i++)
    if (hist_status[i]) printf("%s\"%d\":%lu", first ? "" : ",", i, hist_status[i]), first = 0;
  printf("}}\n");
  if (o.timeline) {
    FILE *f = fopen(o.timeline, "w");
    int n = (t_last_ack - t0) / 1000000000ull + 1;
    for (int i = 0; i < n && i < tl_n; i++) fprintf(f, "%d %lu\n", i, tl[i]);
    fclose(f);
  }
  if (o.acklog) {
    FILE *f = fopen(o.acklog, "w");
    if (!f) die("%s", o.acklog);
    fprintf(f, "# run=%s first_seq=%lu users=%lu first_user=%lu hash=%d\n", run_id, o.first_seq, o.users, o.first_user, o.hash);
    static const char *nm[] = {"new", "unanswered", "acked", "refused", "lost"};
    for (u64 i = 0; i < next_i; i++)
      fprintf(f, "%s-%010lu-%08lu %s %u\n", run_id, i + o.first_seq, user_of(i + o.first_seq), nm[st[i]], lat_us[i]);
    fclose(f);
  }
}

static int do_store(void) {
  for (int i = 0; i < o.socks; i++) mk_tmpl(&conns[i]->t, conns[i]->lport);
  /* wait for TCP connections */
  u64 start = now_ns();
  if (is_tcp()) {
    int up = 0;
    while (up < o.socks && now_ns() - start < 3000000000ull) {
      struct epoll_event ev[64];
      int k = epoll_wait(ep, ev, 64, 50);
      for (int i = 0; i < k; i++) {
        struct conn *c = ev[i].data.ptr;
        int err = 0;
        socklen_t l = sizeof err;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &l);
        if (err) die("connect failed");
        if ((ev[i].events & EPOLLOUT) && !c->up) {
          c->up = 1, up++;
          c->want_out = 0;
          ep_mod(c, EPOLLIN);
        }
      }
    }
    if (up < o.socks) die("only %d of %d connections up", up, o.socks);
  }
  t0 = now_ns();
  u64 end_send = o.duration > 0 ? t0 + (u64)(o.duration * 1e9) : ~0ull;
  u64 next_scan = t0 + 100000000, scan_from = 0;
  int closed = o.rate <= 0;
  u64 *seqs = malloc(8 * 70000);
  int rr = 0, draining = 0;
  u64 drain_until = 0, last_tick = t0;
  while (!stop_req) {
    u64 now = now_cached = now_ns();
    if (!draining && (now >= end_send || (o.count && next_i >= o.count))) {
      draining = 1;
      drain_until = now + (u64)(o.timeout * 1e9);
    }
    if (draining && (outstanding == 0 || now > drain_until)) break;
    /* how many may go now */
    if (!draining) {
      u64 can;
      if (closed) can = outstanding < (u64)o.outstanding ? o.outstanding - outstanding : 0;
      else {
        /* number x is due x / rate after the first one, which goes at once */
        u64 due = (u64)((now - t0) / 1e9 * o.rate) + 1;
        can = due > next_i ? due - next_i : 0;
        if (can > 20000) can = 20000;
      }
      if (o.count && next_i + can > o.count) can = o.count - next_i;
      while (can) {
        int sock = rr++ % o.socks;
        struct conn *c = conns[sock];
        int per = closed ? (int)((can + o.socks - 1) / o.socks) : (can > 16 ? 16 : (int)can);
        if (per > (int)can) per = can;
        if (per > BATCH) per = BATCH;
        if (is_tcp() && !c->up) {
          int any = 0;
          for (int i = 0; i < o.socks; i++) any |= conns[i]->up;
          if (!any) break;
          continue;
        }
        grow(next_i + per);
        for (int i = 0; i < per; i++) {
          u64 x = next_i++;
          seqs[i] = x + o.first_seq;
          st[x] = ST_SENT;
          sock_of[x] = sock;
          t_sent[x] = closed ? now : t0 + (u64)((double)x / o.rate * 1e9);
        }
        store_send(c, seqs, per, 0);
        n_sent += per;
        outstanding += per;
        can -= per;
      }
    }
    u64 wait_ns = 100000000;
    if (!draining && !closed) {
      u64 nd = t0 + (u64)((double)next_i / o.rate * 1e9);
      u64 n2 = now_ns();
      wait_ns = nd > n2 ? nd - n2 : 0;
      if (wait_ns < 100000 && wait_ns > 0) wait_ns = 100000; /* 0.1 ms grain */
    }
    if (now > next_scan) wait_ns = 0;
    if (wait_ns > 50000000) wait_ns = 50000000;
    struct epoll_event ev[128];
    struct timespec ts = {wait_ns / 1000000000ull, wait_ns % 1000000000ull};
    int k = epoll_pwait2(ep, ev, 128, &ts, NULL);
    for (int i = 0; i < k; i++) {
      struct conn *c = ev[i].data.ptr;
      int fr = 0;
      if (c->kind == K_UDP) {
        udp_read_responses(c, &fr);
      } else if (c->fd >= 0) {
        if (ev[i].events & EPOLLOUT) {
          if (!c->up) {
            int err = 0;
            socklen_t l = sizeof err;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &l);
            if (err) { tcp_drop(c); continue; }
            c->up = 1;
          }
          out_flush(c);
        }
        if (c->fd >= 0 && (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) tcp_read(c, store_cb, sip_frame);
      }
    }
    now = now_ns();
    if (now > next_scan) {
      next_scan = now + 100000000;
      for (int i = 0; i < nconns; i++)
        if (conns[i]->kind == K_TCP && conns[i]->fd < 0 && now > conns[i]->retry_at) tcp_open(conns[i]);
      while (scan_from < next_i && st[scan_from] != ST_SENT) scan_from++;
      for (u64 i = scan_from; i < next_i; i++) {
        if (st[i] != ST_SENT) continue;
        u64 age = now - t_sent[i];
        if (age > (u64)(o.timeout * 1e9)) {
          st[i] = ST_LOST;
          n_lost++;
          outstanding--;
          continue;
        }
        u64 rto = 500000000ull << (rtx[i] > 3 ? 3 : rtx[i]);
        int due = now - t_last[i] > rto;
        /* UDP: RFC 3261 timer E. TCP: only after a broken connection (--ride) */
        if (due && o.retrans && (!is_tcp() || (o.ride && conn_drops))) {
          /* the same Via: from another socket it would be another transaction (482) */
          struct conn *c = conns[sock_of[i]];
          if (is_tcp() && !c->up) continue;
          u64 s = i + o.first_seq;
          now_cached = now;
          store_send(c, &s, 1, 1);
          n_rtx++;
        }
      }
    }
    last_tick = now;
  }
  (void)last_tick;
  fin_elapsed = (now_ns() - t0) / 1e9;
  report_store();
  return (n_lost || n_other || outstanding) ? 1 : 0;
}

/* ------------------------------------------------------------ collect mode */
struct urec { u32 expect, got; u64 reg_sent, reg_done, first, last; u32 order_bad; u64 last_seq; int regs; };
static struct urec *ur;
static u64 *acked_list; /* sorted seqs */
static u64 acked_n;
static unsigned char *seen; /* per acked index: delivery count */
static u32 *seen_hash;
static u64 n_deliv, n_unique, n_dupdel, n_retx_in, n_unknown, n_order, n_bytes, n_invites, n_sends, n_byes;
static u64 t_last_del;
static FILE *dlog;

static void load_acked(const char *fn) {
  FILE *f = fopen(fn, "r");
  if (!f) die("%s", fn);
  char l[256], r[16], s[32];
  int got = 0;
  u64 capn = 0;
  while (fgets(l, sizeof l, f)) {
    if (*l == '#') {
      sscanf(l, "# run=%8s first_seq=%lu users=%lu first_user=%lu hash=%d", r, &o.first_seq, &o.users, &o.first_user, &o.hash);
      strcpy(run_id, r);
      got = 1;
      continue;
    }
    unsigned long q, uu;
    if (sscanf(l, "%8[^-]-%lu-%lu %31s", r, &q, &uu, s) != 4) continue;
    if (strcmp(s, "acked")) continue;
    if (acked_n == capn) acked_list = realloc(acked_list, (capn = capn ? capn * 2 : 65536) * 8);
    acked_list[acked_n++] = q;
  }
  fclose(f);
  if (!got) die("no header in %s", fn);
}
static long find_acked(u64 seq) {
  u64 lo = 0, hi = acked_n;
  while (lo < hi) {
    u64 m = (lo + hi) / 2;
    if (acked_list[m] < seq) lo = m + 1;
    else hi = m;
  }
  return lo < acked_n && acked_list[lo] == seq ? (long)lo : -1;
}
static u32 fnv(const char *p, int n) {
  u32 h = 2166136261u;
  while (n--) h = (h ^ (unsigned char)*p++) * 16777619u;
  return h ? h : 1;
}
/* account one delivered payload; h identifies the carrying transaction */
static void delivered(const char *p, int n, u32 h) {
  u64 now = now_ns();
  n_deliv++;
  n_bytes += n;
  t_last_del = now;
  char key[16];
  sprintf(key, "id=%s-", run_id);
  const char *q = memmem(p, n, key, 12);
  if (!q || q + 12 + 10 > p + n) { n_unknown++; return; }
  u64 seq = 0;
  for (int i = 0; i < 10; i++) seq = seq * 10 + (q[12 + i] - '0');
  long x = find_acked(seq);
  u64 u = user_of(seq) - o.first_user;
  if (dlog) fprintf(dlog, "%s-%010lu-%08lu %.3f\n", run_id, seq, u + o.first_user, (now - t0) / 1e6);
  if (x < 0) { n_unknown++; return; }
  if (seen[x]) {
    if (seen_hash[x] == h) n_retx_in++;
    else n_dupdel++;
    return;
  }
  seen[x] = 1;
  seen_hash[x] = h;
  n_unique++;
  struct urec *r = &ur[u];
  if (!r->got) r->first = now;
  if (r->got && seq < r->last_seq) r->order_bad++, n_order++;
  r->last_seq = seq;
  r->got++;
  r->last = now;
}
static int hdr_copy(const char *p, const char *e, const char *name, const char *alt, char *dst, int max, const char *tag) {
  int n = 0, ln = strlen(name), la = alt ? strlen(alt) : 0;
  for (const char *q = p; q < e;) {
    const char *l = memchr(q, '\n', e - q);
    if (!l) l = e;
    int ok = !strncasecmp(q, name, ln) && (q[ln] == ':' || q[ln] == ' ');
    if (!ok && alt) ok = !strncasecmp(q, alt, la) && (q[la] == ':' || q[la] == ' ');
    if (ok) {
      int k = (int)(l - q);
      while (k && (q[k - 1] == '\r' || q[k - 1] == '\n')) k--;
      if (n + k + 64 > max) return n;
      memcpy(dst + n, q, k);
      n += k;
      if (tag && !memmem(q, k, ";tag=", 5)) n += sprintf(dst + n, ";tag=%s", tag);
      dst[n++] = '\r';
      dst[n++] = '\n';
    }
    q = l + 1;
  }
  return n;
}
static struct conn *creg; /* the socket(s) REGISTER goes out of */
static u64 reg_next, reg_out, reg_ok, reg_bad;
static u32 branch_hash(const char *p, int n) {
  const char *b = memmem(p, n > 2000 ? 2000 : n, "branch=", 7);
  if (!b) return 1;
  int k = 0;
  while (b + 7 + k < p + n && k < 80 && b[7 + k] != ';' && b[7 + k] != '\r' && b[7 + k] != ',') k++;
  return fnv(b + 7, k);
}
static void msrp_connect(struct conn *sip, const char *sdp, int n);
/* returns the length of the answer written into out */
static int sip_request(struct conn *c, char *p, int n, char *out) {
  char *e = memmem(p, n, "\r\n\r\n", 4);
  if (!e) return 0;
  char *body = e + 4;
  int bl = n - (int)(body - p);
  char *h = memchr(p, '\n', e - p);
  if (!h) return 0;
  h++;
  if (!memcmp(p, "ACK ", 4)) return 0;
  int inv = !memcmp(p, "INVITE ", 7);
  int m = sprintf(out, "SIP/2.0 200 OK\r\n");
  m += hdr_copy(h, e + 2, "Via", "v", out + m, 8000, NULL);
  m += hdr_copy(h, e + 2, "Record-Route", NULL, out + m, 4000, NULL);
  m += hdr_copy(h, e + 2, "From", "f", out + m, 2000, NULL);
  m += hdr_copy(h, e + 2, "To", "t", out + m, 2000, "lgsink");
  m += hdr_copy(h, e + 2, "Call-ID", "i", out + m, 1000, NULL);
  m += hdr_copy(h, e + 2, "CSeq", NULL, out + m, 500, NULL);
  if (!memcmp(p, "MESSAGE ", 8)) {
    delivered(body, bl, branch_hash(p, n));
    m += sprintf(out + m, "Content-Length: 0\r\n\r\n");
  } else if (inv) {
    n_invites++;
    static u64 sess;
    char sdp[700];
    int active = !!memmem(body, bl, "a=setup:passive", 15);
    int k = sprintf(sdp,
                    "v=0\r\no=lg 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                    "m=message %d TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://127.0.0.1:%d/lg%lu;tcp\r\n"
                    "a=setup:%s\r\na=recvonly\r\n",
                    o.msrp_port, o.msrp_port, sess++, active ? "active" : "passive");
    m += sprintf(out + m,
                 "Contact: <sip:sink@127.0.0.1:%d;transport=%s>;+g.oma.sip-im\r\nAllow: INVITE,ACK,BYE,CANCEL,MESSAGE\r\n"
                 "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
                 o.contact_port, o.transport, k, sdp);
    if (active) msrp_connect(c, body, bl);
  } else {
    if (!memcmp(p, "BYE ", 4)) n_byes++;
    m += sprintf(out + m, "Content-Length: 0\r\n\r\n");
  }
  return m;
}
static void reg_response(const char *p, int n) {
  int code = (p[8] - '0') * 100 + (p[9] - '0') * 10 + (p[10] - '0');
  const char *b = memmem(p, n > 1500 ? 1500 : n, "branch=z9hG4bKR", 15);
  if (!b || code < 200) return;
  u64 u = strtoull(b + 15, NULL, 10);
  if (u >= o.users || ur[u].reg_done || !ur[u].reg_sent) return;
  ur[u].reg_done = now_ns();
  reg_out--;
  if (code == 200) reg_ok++;
  else reg_bad++;
}
static int mk_register(char *b, u64 u, int lport) {
  const char *tr = is_tcp() ? "TCP" : "UDP";
  char aor[300], extra[600] = "";
  sprintf(aor, "sip:%s%08lu@%s", o.prefix, u + o.first_user, o.domain);
  if (o.thirdparty)
    sprintf(extra, "P-Access-Network-Info: 3GPP-E-UTRAN-FDD\r\nP-Asserted-Identity: <sip:scscf@%s>\r\n", o.domain);
  return sprintf(b,
                 "REGISTER sip:%s SIP/2.0\r\n"
                 "Via: SIP/2.0/%s 127.0.0.1:%d;branch=z9hG4bKR%lu\r\n"
                 "Max-Forwards: 70\r\nFrom: <%s>;tag=r%lu\r\nTo: <%s>\r\nCall-ID: reg%lu-%s-%d\r\nCSeq: %d REGISTER\r\n"
                 "Contact: <sip:%s%08lu@127.0.0.1:%d;transport=%s>;+g.oma.sip-im\r\n%s"
                 "Allow: INVITE,ACK,BYE,CANCEL,MESSAGE,OPTIONS\r\nExpires: 3600\r\nUser-Agent: loadgen/1\r\nContent-Length: 0\r\n\r\n",
                 o.domain, tr, lport, u, o.thirdparty ? "sip:scscf@127.0.0.1" : aor, u, aor, u, run_id, (int)getpid(), ur[u].regs + 1, o.prefix,
                 u + o.first_user, o.contact_port, o.transport, extra);
}
static char outb[32768];
static int collect_cb(struct conn *c, char *p, int n) {
  while (n && (*p == '\r' || *p == '\n')) p++, n--;
  if (n > 8 && !memcmp(p, "SIP/2.0 ", 8)) {
    reg_response(p, n);
    return 0;
  }
  int m = sip_request(c, p, n, outb);
  if (m) out_append(c, outb, m);
  return 0;
}
static void udp_collect(struct conn *c) {
  static char *buf;
  static struct mmsghdr mm[BATCH], om[BATCH];
  static struct iovec iv[BATCH], ov[BATCH];
  static struct sockaddr_in from[BATCH];
  static char *ob;
  if (!buf) buf = malloc((size_t)BATCH * MAXPKT), ob = malloc((size_t)BATCH * 16384);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      iv[i].iov_base = buf + (size_t)i * MAXPKT;
      iv[i].iov_len = MAXPKT;
      memset(&mm[i].msg_hdr, 0, sizeof mm[i].msg_hdr);
      mm[i].msg_hdr.msg_iov = &iv[i];
      mm[i].msg_hdr.msg_iovlen = 1;
      mm[i].msg_hdr.msg_name = &from[i];
      mm[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    int k = recvmmsg(c->fd, mm, BATCH, MSG_DONTWAIT, NULL);
    if (k < 0) {
      if (errno == ECONNREFUSED) continue;
      return;
    }
    int on = 0;
    for (int i = 0; i < k; i++) {
      char *p = iv[i].iov_base;
      int n = mm[i].msg_len;
      if (n > 8 && !memcmp(p, "SIP/2.0 ", 8)) { reg_response(p, n); continue; }
      char *w = ob + (size_t)on * 16384;
      int m = sip_request(c, p, n, w);
      if (!m) continue;
      ov[on].iov_base = w;
      ov[on].iov_len = m;
      memset(&om[on].msg_hdr, 0, sizeof om[on].msg_hdr);
      om[on].msg_hdr.msg_iov = &ov[on];
      om[on].msg_hdr.msg_iovlen = 1;
      om[on].msg_hdr.msg_name = &from[i];
      om[on].msg_hdr.msg_namelen = sizeof from[i];
      on++;
    }
    for (int off = 0; off < on;) {
      int r = sendmmsg(c->fd, om + off, on - off, 0);
      if (r < 0) r = 1;
      off += r;
    }
    if (k < BATCH) return;
  }
}

/* MSRP sink: frame = "MSRP tid METHOD\r\n" ... "-------tid[$+#]\r\n" */
static int msrp_frame(const char *p, int n) {
  if (n < 20) return 0;
  const char *sp = memchr(p + 5, ' ', n - 5 < 64 ? n - 5 : 64);
  if (!sp) return 0;
  char end[96];
  int tl_ = (int)(sp - (p + 5));
  int el = sprintf(end, "-------%.*s", tl_, p + 5);
  /* jump over the body when Byte-Range gives its length */
  const char *from = sp;
  const char *br = memmem(p, n > 1500 ? 1500 : n, "Byte-Range:", 11);
  const char *he = memmem(p, n > 3000 ? 3000 : n, "\r\n\r\n", 4);
  /* a SEND without a body has no empty line: what follows is of the next frame */
  const char *bare = memmem(p, n > 3000 ? 3000 : n, end, el);
  if (bare && (!he || bare < he)) return bare + el + 3 > p + n ? 0 : (int)(bare + el + 3 - p);
  if (br && he && br < he) {
    long a = 0, b = 0;
    if (sscanf(br + 11, " %ld-%ld", &a, &b) == 2 && b >= a) {
      from = he + 4 + (b - a + 1);
      if (from > p + n) return 0;
    }
  }
  const char *e = memmem(from, n - (from - p), end, el);
  if (!e) return 0;
  if (e + el + 3 > p + n) return 0;
  return (int)(e + el + 3 - p);
}
static int msrp_cb(struct conn *c, char *p, int n) {
  char tid[64], meth[32];
  if (sscanf(p, "MSRP %63s %31s", tid, meth) != 2) return 0;
  if (strcmp(meth, "SEND")) return 0;
  n_sends++;
  char *he = memmem(p, n, "\r\n\r\n", 4);
  char tp[400] = "", fp[400] = "";
  char *lim = he ? he : p + n;
  char *q;
  if ((q = memmem(p, lim - p, "To-Path: ", 9))) sscanf(q + 9, "%399[^\r\n]", tp);
  if ((q = memmem(p, lim - p, "From-Path: ", 11))) sscanf(q + 11, "%399[^\r\n]", fp);
  if (he) delivered(he + 4, (int)(p + n - he - 4), fnv(tid, strlen(tid)));
  char b[1200];
  char *sp = strchr(fp, ' ');
  if (sp) *sp = 0;
  int m = sprintf(b, "MSRP %s 200 OK\r\nTo-Path: %s\r\nFrom-Path: %s\r\n-------%s$\r\n", tid, fp, tp, tid);
  out_append(c, b, m);
  /* RFC 4975 7.1.2: whoever asks for a success report gets one */
  char id[200] = "";
  if ((q = memmem(p, lim - p, "Message-ID: ", 12))) sscanf(q + 12, "%199[^\r\n]", id);
  long from = 0, to = 0, total = 0;
  if ((q = memmem(p, lim - p, "Byte-Range: ", 12))) sscanf(q + 12, "%ld-%ld/%ld", &from, &to, &total);
  if (he && to == total && memmem(p, lim - p, "Success-Report: yes", 19)) {
    m = sprintf(b, "MSRP r%s REPORT\r\nTo-Path: %s\r\nFrom-Path: %s\r\nMessage-ID: %s\r\n"
                   "Byte-Range: 1-%ld/%ld\r\nStatus: 000 200 OK\r\n-------r%s$\r\n", tid, fp, tp, id, total, total, tid);
    out_append(c, b, m);
  }
  return 0;
}
static void msrp_connect(struct conn *sip, const char *sdp, int n) {
  (void)sip;
  const char *q = memmem(sdp, n, "a=path:msrp://", 14);
  char h[64];
  int port;
  if (!q || sscanf(q + 14, "%63[^:]:%d", h, &port) != 2) return;
  struct conn *c = new_conn(K_MSRP);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  c->peer.sin_family = AF_INET;
  c->peer.sin_port = htons(port);
  inet_pton(AF_INET, h, &c->peer.sin_addr);
  c->want_out = 1;
  connect(c->fd, (void *)&c->peer, sizeof c->peer);
  ep_add(c, EPOLLIN | EPOLLOUT);
}
static struct conn *listener(int kind, int port) {
  struct conn *c = new_conn(kind);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
  if (bind(c->fd, (void *)&a, sizeof a) || listen(c->fd, 1024)) die("listen %d", port);
  ep_add(c, EPOLLIN);
  return c;
}
static int do_collect(void) {
  if (!o.acked) die("collect needs --acked FILE");
  load_acked(o.acked);
  seen = calloc(acked_n + 1, 1);
  seen_hash = calloc(acked_n + 1, 4);
  ur = calloc(o.users, sizeof *ur);
  u64 total_users = 0;
  for (u64 i = 0; i < acked_n; i++) ur[user_of(acked_list[i]) - o.first_user].expect++;
  for (u64 i = 0; i < o.users; i++) total_users += ur[i].expect > 0;
  if (o.deliverlog) dlog = fopen(o.deliverlog, "w");
  struct conn *cs;
  if (is_tcp()) {
    cs = listener(K_TCPL, o.contact_port);
  } else {
    cs = new_conn(K_UDP);
    cs->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    rcvbuf_of(cs->fd, 256 << 20);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(o.contact_port)};
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    if (bind(cs->fd, (void *)&a, sizeof a)) die("bind contact port");
    ep_add(cs, EPOLLIN);
  }
  listener(K_MSRPL, o.msrp_port);
  creg = is_tcp() ? client() : cs;
  t0 = now_ns();
  t_last_del = t0;
  u64 next_scan = t0, last_progress = t0, prev = 0;
  char b[4096];
  while (!stop_req) {
    u64 now = now_ns();
    if (n_unique >= acked_n && reg_next >= o.users && !reg_out) break;
    if (n_unique != prev || reg_out) { if (n_unique != prev) last_progress = now; prev = n_unique; }
    if (now - last_progress > (u64)(o.idle * 1e9)) break;
    while (reg_next < o.users && reg_out < (u64)o.window && (!is_tcp() || creg->up)) {
      u64 u = reg_next++;
      if (!ur[u].expect) continue;
      int m = mk_register(b, u, is_tcp() ? creg->lport : o.contact_port);
      ur[u].reg_sent = now_ns();
      ur[u].regs++;
      reg_out++;
      if (is_tcp()) out_append(creg, b, m);
      else sendto(cs->fd, b, m, 0, (void *)&target, sizeof target);
    }
    if (is_tcp() && creg->up) out_flush(creg);
    struct epoll_event ev[128];
    int k = epoll_wait(ep, ev, 128, 20);
    for (int i = 0; i < k; i++) {
      struct conn *c = ev[i].data.ptr;
      if (c->kind == K_UDP) { udp_collect(c); continue; }
      if (c->kind == K_TCPL || c->kind == K_MSRPL) {
        for (;;) {
          int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK);
          if (fd < 0) break;
          struct conn *n = new_conn(c->kind == K_TCPL ? K_TCP : K_MSRP);
          int one = 1;
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          n->fd = fd;
          n->up = 1;
          ep_add(n, EPOLLIN);
        }
        continue;
      }
      if (c->fd < 0) continue;
      if (ev[i].events & EPOLLOUT) { c->up = 1; out_flush(c); }
      if (c->fd >= 0 && (ev[i].events & (EPOLLIN | EPOLLHUP))) {
        if (c->kind == K_MSRP) tcp_read(c, msrp_cb, msrp_frame);
        else tcp_read(c, collect_cb, sip_frame);
        if (c->fd >= 0) out_flush(c);
      }
    }
    now = now_ns();
    if (!is_tcp() && now > next_scan) {
      next_scan = now + 100000000;
      for (u64 u = 0; u < reg_next; u++)
        if (ur[u].reg_sent && !ur[u].reg_done && now - ur[u].reg_sent > 500000000ull * (u64)ur[u].regs) {
          int m = mk_register(b, u, o.contact_port); /* retransmission keeps branch and CSeq */
          if (ur[u].regs < 12) sendto(cs->fd, b, m, 0, (void *)&target, sizeof target), n_rtx++;
        }
    }
  }
  u64 te = t_last_del;
  u32 *v = malloc((o.users + 1) * 4), *w = malloc((o.users + 1) * 4);
  u64 nv = 0, nfull = 0, nw = 0;
  for (u64 i = 0; i < o.users; i++)
    if (ur[i].expect) {
      if (ur[i].got >= ur[i].expect) { nfull++; v[nv++] = (u32)((ur[i].last - ur[i].reg_sent) / 1000); }
      if (ur[i].reg_done) w[nw++] = (u32)((ur[i].reg_done - ur[i].reg_sent) / 1000);
    }
  qsort(v, nv, 4, cmp32);
  qsort(w, nw, 4, cmp32);
#define PV(a, n, q) ((n) ? (a)[(u64)(((n)-1) * (q))] : 0)
  double el = (te - t0) / 1e9;
  printf("{\"mode\":\"collect\",\"transport\":\"%s\",\"users\":%lu,\"registered\":%lu,\"register_refused\":%lu,\"expected\":%lu,"
         "\"delivered_unique\":%lu,\"missing\":%lu,\"duplicate_deliveries\":%lu,\"retransmitted_requests\":%lu,\"unknown\":%lu,"
         "\"order_violations\":%lu,\"users_complete\":%lu,\"bytes\":%lu,\"invites\":%lu,\"msrp_sends\":%lu,\"byes\":%lu,\"elapsed_s\":%.3f,"
         "\"per_s\":%.0f,\"user_complete_ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},\"register_ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},"
         "\"gen_cpu_s\":%.2f}\n",
         o.transport, total_users, reg_ok, reg_bad, acked_n, n_unique, acked_n - n_unique, n_dupdel, n_retx_in, n_unknown, n_order,
         nfull, n_bytes, n_invites, n_sends, n_byes, el, el > 0 ? n_unique / el : 0, PV(v, nv, .5) / 1e3, PV(v, nv, .99) / 1e3,
         PV(v, nv, 1) / 1e3, PV(w, nw, .5) / 1e3, PV(w, nw, .99) / 1e3, PV(w, nw, 1) / 1e3, cpu_us() / 1e6);
  if (dlog) fclose(dlog);
  return n_unique == acked_n && !n_dupdel ? 0 : 1;
}

/* ------------------------------------------------------------- verify mode */
static int do_verify(void) {
  if (!o.acked) die("verify needs --acked FILE and --stored and/or --delivered FILE");
  load_acked(o.acked);
  const char *fs[2] = {o.storedids, o.deliverlog};
  const char *nm[2] = {"stored", "delivered"};
  unsigned char *c = calloc(acked_n + 1, 1), *any = calloc(acked_n + 1, 1);
  char key[16];
  sprintf(key, "%s-", run_id);
  printf("{\"acked\":%lu", acked_n);
  u64 loss_any = 0;
  for (int k = 0; k < 2; k++) {
    if (!fs[k]) continue;
    memset(c, 0, acked_n + 1);
    FILE *f = fopen(fs[k], "r");
    if (!f) die("%s", fs[k]);
    char *l = NULL;
    size_t lc = 0;
    u64 lines = 0, unacked = 0, dup = 0;
    while (getline(&l, &lc, f) > 0) {
      char *q = strstr(l, key);
      if (!q) continue;
      lines++;
      u64 seq = strtoull(q + 9, NULL, 10);
      long x = find_acked(seq);
      if (x < 0) { unacked++; continue; }
      if (c[x]) dup++;
      if (c[x] < 255) c[x]++;
      any[x] = 1;
    }
    fclose(f);
    u64 miss = 0;
    for (u64 i = 0; i < acked_n; i++) miss += !c[i];
    printf(",\"%s\":{\"lines\":%lu,\"missing_acked\":%lu,\"duplicates\":%lu,\"not_acked\":%lu}", nm[k], lines, miss, dup, unacked);
  }
  for (u64 i = 0; i < acked_n; i++) loss_any += !any[i];
  printf(",\"acked_but_nowhere\":%lu}\n", loss_any);
  return loss_any ? 1 : 0;
}

/* --------------------------------------------------------------- echo mode */
static _Noreturn void do_echo(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  rcvbuf_of(fd, 64 << 20);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(o.port)};
  inet_pton(AF_INET, o.host, &a.sin_addr);
  if (bind(fd, (void *)&a, sizeof a)) die("bind");
  static struct mmsghdr mm[BATCH], om[BATCH];
  static struct iovec iv[BATCH], ov[BATCH];
  static struct sockaddr_in from[BATCH];
  char *buf = malloc((size_t)BATCH * MAXPKT), *ob = malloc((size_t)BATCH * 8192);
  signal(SIGINT, SIG_DFL); signal(SIGTERM, SIG_DFL);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      iv[i].iov_base = buf + (size_t)i * MAXPKT;
      iv[i].iov_len = MAXPKT;
      memset(&mm[i].msg_hdr, 0, sizeof mm[i].msg_hdr);
      mm[i].msg_hdr.msg_iov = &iv[i];
      mm[i].msg_hdr.msg_iovlen = 1;
      mm[i].msg_hdr.msg_name = &from[i];
      mm[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    int k = recvmmsg(fd, mm, BATCH, MSG_WAITFORONE, NULL);
    if (k < 0) continue;
    for (int i = 0; i < k; i++) {
      char *p = iv[i].iov_base, *w = ob + i * 8192;
      char *e = memmem(p, mm[i].msg_len, "\r\n\r\n", 4), *h = memchr(p, '\n', mm[i].msg_len);
      if (!e || !h) { ov[i].iov_len = 0; continue; }
      int m = sprintf(w, "SIP/2.0 202 Accepted\r\n");
      m += hdr_copy(h + 1, e + 2, "Via", NULL, w + m, 2000, NULL);
      m += hdr_copy(h + 1, e + 2, "From", NULL, w + m, 1000, NULL);
      m += hdr_copy(h + 1, e + 2, "To", NULL, w + m, 1000, "e");
      m += hdr_copy(h + 1, e + 2, "Call-ID", NULL, w + m, 1000, NULL);
      m += hdr_copy(h + 1, e + 2, "CSeq", NULL, w + m, 500, NULL);
      m += sprintf(w + m, "Content-Length: 0\r\n\r\n");
      ov[i].iov_base = w;
      ov[i].iov_len = m;
      memset(&om[i].msg_hdr, 0, sizeof om[i].msg_hdr);
      om[i].msg_hdr.msg_iov = &ov[i];
      om[i].msg_hdr.msg_iovlen = 1;
      om[i].msg_hdr.msg_name = &from[i];
      om[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    for (int off = 0; off < k;) {
      int r = sendmmsg(fd, om + off, k - off, 0);
      if (r < 0) r = 1;
      off += r;
    }
  }
}

static void usage(void) {
  fprintf(stderr,
          "usage: loadgen store|collect|verify|echo [options]\n"
          " common   --target HOST:PORT  --transport udp|tcp  --domain D  --prefix u\n"
          " store    --count N | --duration S   --outstanding N (closed loop) | --rate R (open loop)\n"
          "          --body BYTES --users U --first-user F --first-seq N --conns C --hash\n"
          "          --ack-log FILE --timeline FILE --no-retransmit --ride (survive server restarts) --timeout S --run HEX8\n"
          " collect  --acked FILE --contact-port P --msrp-port P --window W --third-party --idle S --deliver-log FILE\n"
          " verify   --acked FILE [--stored FILE] [--delivered FILE]\n");
  exit(2);
}
int main(int argc, char **argv) {
  if (argc < 2) usage();
  static struct option lo[] = {{"target", 1, 0, 't'}, {"transport", 1, 0, 'T'}, {"domain", 1, 0, 'd'}, {"prefix", 1, 0, 'p'},
    {"count", 1, 0, 'n'}, {"duration", 1, 0, 'D'}, {"outstanding", 1, 0, 'o'}, {"rate", 1, 0, 'r'}, {"body", 1, 0, 'b'},
    {"users", 1, 0, 'u'}, {"first-user", 1, 0, 'F'}, {"first-seq", 1, 0, 's'}, {"conns", 1, 0, 'c'}, {"hash", 0, 0, 'h'},
    {"ack-log", 1, 0, 'a'}, {"timeline", 1, 0, 'l'}, {"no-retransmit", 0, 0, 'R'}, {"ride", 0, 0, 'i'}, {"timeout", 1, 0, 'x'},
    {"run", 1, 0, 'z'}, {"acked", 1, 0, 'A'}, {"contact-port", 1, 0, 'P'}, {"msrp-port", 1, 0, 'M'}, {"window", 1, 0, 'w'},
    {"third-party", 0, 0, '3'}, {"idle", 1, 0, 'I'}, {"deliver-log", 1, 0, 'L'}, {"delivered", 1, 0, 'L'}, {"stored", 1, 0, 'S'}, {0}};
  int c;
  optind = 2;
  while ((c = getopt_long(argc, argv, "", lo, NULL)) != -1) switch (c) {
    case 't': { char *x = strdup(optarg), *k = strrchr(x, ':'); if (k) { *k = 0; o.port = atoi(k + 1); } o.host = x; break; }
    case 'T': o.transport = optarg; break;
    case 'd': o.domain = optarg; break;
    case 'p': o.prefix = optarg; break;
    case 'n': o.count = strtoull(optarg, 0, 10); break;
    case 'D': o.duration = atof(optarg); break;
    case 'o': o.outstanding = atoi(optarg); break;
    case 'r': o.rate = atof(optarg); break;
    case 'b': o.body = atoi(optarg); break;
    case 'u': o.users = strtoull(optarg, 0, 10); break;
    case 'F': o.first_user = strtoull(optarg, 0, 10); break;
    case 's': o.first_seq = strtoull(optarg, 0, 10); break;
    case 'c': o.socks = atoi(optarg); break;
    case 'h': o.hash = 1; break;
    case 'a': o.acklog = optarg; break;
    case 'l': o.timeline = optarg; break;
    case 'R': o.retrans = 0; break;
    case 'i': o.ride = 1; break;
    case 'x': o.timeout = atof(optarg); break;
    case 'z': o.run = optarg; break;
    case 'A': o.acked = optarg; break;
    case 'P': o.contact_port = atoi(optarg); break;
    case 'M': o.msrp_port = atoi(optarg); break;
    case 'w': o.window = atoi(optarg); break;
    case '3': o.thirdparty = 1; break;
    case 'I': o.idle = atof(optarg); break;
    case 'L': o.deliverlog = optarg; break;
    case 'S': o.storedids = optarg; break;
    default: usage();
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, on_sig);
  signal(SIGTERM, on_sig);
  if (o.run) snprintf(run_id, 9, "%08lx", strtoul(o.run, 0, 16));
  else snprintf(run_id, 9, "%08x", (u32)(now_ns() / 1000) ^ (u32)getpid() * 2654435761u);
  target.sin_family = AF_INET;
  target.sin_port = htons(o.port);
  if (inet_pton(AF_INET, o.host, &target.sin_addr) != 1) die("host must be an IPv4 address");
  ep = epoll_create1(0);
  if (!strcmp(argv[1], "store")) {
    if (!o.count && o.duration <= 0) die("store needs --count or --duration");
    for (int i = 0; i < o.socks; i++) client();
    return do_store();
  }
  if (!strcmp(argv[1], "collect")) return do_collect();
  if (!strcmp(argv[1], "verify")) return do_verify();
  if (!strcmp(argv[1], "echo")) do_echo();
  usage();
}
