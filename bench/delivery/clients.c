/*
 * Many Bayeux clients in one process, each with its own connection, user and session, that check what they are sent.
 *
 * usage: clients PORT PATH CLIENTS STICKY TRANSPORT ACK
 *
 * TRANSPORT is long-polling or websocket; ACK is 1 with the ack extension, else 0. Client n is the user client-n and
 * subscribes to /own/n and /shared. The last STICKY clients have small receive buffers, so that they can be stuck.
 *
 * Every event is {"owner":n,"seq":s,"at_ns":t,...} with the keys in this order: n is the receiver, or -1 on /shared; s
 * counts from 1 for each client and channel; t is CLOCK_MONOTONIC when the server was told to deliver. An event of
 * somebody else, a second time, out of order, or missing after 10 s ends the run with exit code 1, shown on stderr.
 *
 * Writes "ready" when every client waits in a connect. Then takes one command a line:
 *   round   every client that reads is about to get one event: writes "done" when all have it and wait again
 *   reset   forget what was counted
 *   report  write what was counted, as one line of JSON
 *   pause   send no connect after an event
 *   resume  send the connects that pause kept back
 *   stick   the sticky clients read no more; writes "stuck"
 * and ends when its input does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CLIENTS = 60000,         /* TCP ports of one address */
    MAX_OPENING = 64,            /* clients on their way to their first connect: a stampede is not what is measured */
    MAX_MESSAGE = 1024,          /* what a client sends; the longest has 300 bytes */
    MAX_HEAD = 1024,             /* request line and headers */
    MAX_ANSWER = 4 * 1024 * 1024, /* the servers' limits for what waits for one client are below it */
    MIN_BUFFER = 4096,
    STICKY_RECEIVE_BYTES = 4096, /* the kernel doubles it */
    STEP_NS = 1000,              /* of the histogram of latencies */
    STEPS = 3000000,             /* 3 s; slower ones count as this */
    SILENCE_S = 10               /* the longest that opening or a round may go without progress */
};

static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* any key will do; this one's answer is in RFC 6455, 1.3 */
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

struct client {
    int descriptor;
    int number;
    int is_sticky, is_stuck;
    int is_upgraded;
    int is_waiting;     /* a connect is out */
    int owes_connect;   /* its connect was answered */
    int connects;
    unsigned next_id;
    long long ack;
    long long own, shared; /* numbers of the last events */
    size_t held, room;     /* bytes in the buffer, and its size */
    char *buffer;
    char id[72];
};

struct span {
    const char *at, *end;
};

struct message {
    struct span channel, client_id, successful, ext, data;
};

static struct client *all;
static int client_count, sticky_count, port, has_ack, is_websocket;
static const char *path;
static int epoll;
static int opened, begun;         /* clients that wait in their second connect; that were started */
static int readers, waiting;      /* clients that read; those of them with a connect out */
static int missing;               /* events that the present round still lacks */
static int is_round, is_paused, is_ready;
static uint64_t deliveries, received_bytes, cut;
static int64_t slowest_ns, progress_ns;
static uint32_t *histogram;

static void fail(const char *what, const char *detail, size_t length) {
    fprintf(stderr, "clients: %s\n%.*s\n", what, (int)(length < 2000 ? length : 2000), detail);
    exit(1);
}

static void fail_for(struct client *c, const char *what, struct span said) {
    char text[160];
    snprintf(text, sizeof text, "client %d (own event %lld, shared event %lld): %s", c->number, c->own, c->shared, what);
    fail(text, said.at, (size_t)(said.end - said.at));
}

static void fail_system(const char *what) {
    fail(what, strerror(errno), strlen(strerror(errno)));
}

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void say(const char *word) {
    puts(word);
    fflush(stdout);
}

/* ---- JSON: just enough to find the members of a message. The text is bounded by `all.end`. ---- */

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',' || *at == ':')) at++;
    return at;
}

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end) {
    int depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0) return at;
            depth--;
            at++;
        } else if (depth == 0 && *at == ',') {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0) return at;
    }
    return end;
}

static int is_text(struct span said, const char *text) {
    size_t length = strlen(text);
    return (size_t)(said.end - said.at) == length && memcmp(said.at, text, length) == 0;
}

static struct message parse(struct span said) {
    struct message m = {0};
    const char *at = skip_space(said.at + 1, said.end);
    while (at < said.end && *at == '"') {
        struct span name = {at, skip_string(at, said.end)};
        struct span value;
        value.at = skip_space(name.end, said.end);
        value.end = at = skip_value(value.at, said.end);
        if (is_text(name, "\"channel\"")) m.channel = value;
        else if (is_text(name, "\"clientId\"")) m.client_id = value;
        else if (is_text(name, "\"successful\"")) m.successful = value;
        else if (is_text(name, "\"ext\"")) m.ext = value;
        else if (is_text(name, "\"data\"")) m.data = value;
        at = skip_space(at, said.end);
    }
    return m;
}

/* The number behind a key. The spans lie in buffers that end with NUL, so strtoll stops. */
static int find_number(struct span within, const char *key, long long *number) {
    if (!within.at) return 0;
    const char *found = memmem(within.at, (size_t)(within.end - within.at), key, strlen(key));
    if (!found) return 0;
    *number = strtoll(skip_space(found + strlen(key), within.end), NULL, 10);
    return 1;
}

/* ---- sending ---- */

static void send_all(struct client *c, const char *bytes, size_t length) {
    /* What a client sends fits the socket's buffer: it waits for the answer before it sends more. */
    if (send(c->descriptor, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail_system("a message could not be sent");
}

static void send_frame(struct client *c, int opcode, const char *payload, size_t length) {
    char frame[MAX_MESSAGE + 16];
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t at = 0;
    frame[at++] = (char)(0x80 | opcode);
    if (length < 126) {
        frame[at++] = (char)(0x80 | length);
    } else {
        frame[at++] = (char)(0x80 | 126);
        frame[at++] = (char)(length >> 8);
        frame[at++] = (char)(length & 255);
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++) frame[at++] = (char)((unsigned char)payload[i] ^ mask[i & 3]);
    send_all(c, frame, at);
}

static int credentials(struct client *c, char *text, size_t room) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char plain[64];
    size_t length = (size_t)snprintf(plain, sizeof plain, "client-%d:secret", c->number), at = 0;
    for (size_t i = 0; i < length && at + 5 < room; i += 3) {
        unsigned bits = (unsigned)plain[i] << 16;
        if (i + 1 < length) bits |= (unsigned)plain[i + 1] << 8;
        if (i + 2 < length) bits |= (unsigned)plain[i + 2];
        text[at++] = LETTERS[bits >> 18];
        text[at++] = LETTERS[bits >> 12 & 63];
        text[at++] = i + 1 < length ? LETTERS[bits >> 6 & 63] : '=';
        text[at++] = i + 2 < length ? LETTERS[bits & 63] : '=';
    }
    text[at] = 0;
    return (int)at;
}

static void send_message(struct client *c, const char *message) {
    size_t length = strlen(message);
    if (is_websocket) {
        send_frame(c, 1, message, length);
        return;
    }
    char request[MAX_HEAD + MAX_MESSAGE], user[128];
    credentials(c, user, sizeof user);
    int total = snprintf(request, sizeof request,
                         "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Basic %s\r\nAccept: */*\r\n"
                         "Content-Type: application/json;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
                         path, port, user, length, message);
    send_all(c, request, (size_t)total);
}

static void send_upgrade(struct client *c) {
    char request[MAX_HEAD], user[128];
    credentials(c, user, sizeof user);
    int total = snprintf(request, sizeof request,
                         "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Basic %s\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
                         path, port, user, KEY);
    send_all(c, request, (size_t)total);
}

static void send_handshake(struct client *c) {
    char text[MAX_MESSAGE];
    snprintf(text, sizeof text,
             "[{\"id\":\"%u\",\"version\":\"1.0\",\"minimumVersion\":\"1.0\",\"channel\":\"/meta/handshake\","
             "\"supportedConnectionTypes\":[\"%s\"]%s}]",
             ++c->next_id, is_websocket ? "websocket" : "long-polling", has_ack ? ",\"ext\":{\"ack\":true}" : "");
    send_message(c, text);
}

static void send_subscribe(struct client *c) {
    char text[MAX_MESSAGE];
    snprintf(text, sizeof text,
             "[{\"id\":\"%u\",\"channel\":\"/meta/subscribe\",\"subscription\":[\"/own/%d\",\"/shared\"],"
             "\"clientId\":\"%s\"}]",
             ++c->next_id, c->number, c->id);
    send_message(c, text);
}

static void send_connect(struct client *c) {
    char text[MAX_MESSAGE], ext[64] = "";
    if (has_ack) snprintf(ext, sizeof ext, ",\"ext\":{\"ack\":%lld}", c->ack);
    /* The first connect asks to be answered at once, as client libraries do. */
    snprintf(text, sizeof text,
             "[{\"id\":\"%u\",\"channel\":\"/meta/connect\",\"connectionType\":\"%s\"%s,\"clientId\":\"%s\"%s}]",
             ++c->next_id, is_websocket ? "websocket" : "long-polling", ext, c->id,
             c->connects == 0 ? ",\"advice\":{\"timeout\":0}" : "");
    c->owes_connect = 0;
    c->is_waiting = 1;
    c->connects++;
    waiting++;
    send_message(c, text);
}

/* ---- opening ---- */

static void begin_next(void) {
    if (begun == client_count) return;
    struct client *c = &all[begun];
    c->number = begun++;
    c->is_sticky = c->number >= client_count - sticky_count;
    c->room = MIN_BUFFER;
    c->buffer = malloc(c->room + 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int one = 1, small = STICKY_RECEIVE_BYTES;
    c->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (c->descriptor < 0) fail_system("cannot make a socket");
    if (c->is_sticky) setsockopt(c->descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(c->descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail_system("cannot connect");
    setsockopt(c->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->descriptor, &event);
    if (is_websocket) send_upgrade(c);
    else send_handshake(c);
}

/* ---- receiving ---- */

static void read_commands(void);

static void take_event(struct client *c, struct message *m, struct span said) {
    long long owner, seq, at_ns;
    char own[32];
    snprintf(own, sizeof own, "\"/own/%d\"", c->number);
    int is_own = is_text(m->channel, own);
    if (!is_own && !is_text(m->channel, "\"/shared\"")) fail_for(c, "an event of a channel of somebody else", said);
    if (!find_number(m->data, "\"owner\":", &owner) || !find_number(m->data, "\"seq\":", &seq) ||
        !find_number(m->data, "\"at_ns\":", &at_ns))
        fail_for(c, "an event without owner, number and time", said);
    if (owner != (is_own ? c->number : -1)) fail_for(c, "a misdirected event", said);
    long long *last = is_own ? &c->own : &c->shared;
    if (seq <= *last) fail_for(c, "an event came again, or too late", said);
    if (seq > *last + 1) fail_for(c, "events are missing before this one", said);
    *last = seq;
    progress_ns = now_ns();
    /* The command was given before the server was told to deliver, but the event may be seen first. */
    if (!is_round) read_commands();
    if (!is_round || missing == 0) fail_for(c, "an event that nobody sent", said);
    missing--;
    int64_t took_ns = progress_ns - at_ns;
    int64_t step = took_ns / STEP_NS;
    histogram[step < 0 ? 0 : step < STEPS ? step : STEPS]++;
    if (took_ns > slowest_ns) slowest_ns = took_ns;
    deliveries++;
}

static void take_message(struct client *c, struct span said) {
    struct message m = parse(said);
    if (!m.channel.at) fail_for(c, "a message without channel", said);
    if ((size_t)(m.channel.end - m.channel.at) < 7 || memcmp(m.channel.at, "\"/meta/", 7) != 0) {
        take_event(c, &m, said);
        return;
    }
    if (!m.successful.at || !is_text(m.successful, "true")) fail_for(c, "a refusal", said);
    if (is_text(m.channel, "\"/meta/handshake\"")) {
        size_t length = (size_t)(m.client_id.end - m.client_id.at);
        if (length < 3 || length > sizeof c->id) fail_for(c, "a handshake without a usable client id", said);
        memcpy(c->id, m.client_id.at + 1, length - 2);
        if (has_ack && !(m.ext.at && memmem(m.ext.at, (size_t)(m.ext.end - m.ext.at), "\"ack\"", 5)))
            fail_for(c, "the server does not offer the ack extension", said);
        send_subscribe(c);
    } else if (is_text(m.channel, "\"/meta/subscribe\"")) {
        if (c->connects == 0) c->owes_connect = 1;
    } else if (is_text(m.channel, "\"/meta/connect\"")) {
        if (has_ack && !find_number(m.ext, "\"ack\":", &c->ack)) fail_for(c, "a connect reply without ack", said);
        c->is_waiting = 0;
        waiting--;
        c->owes_connect = 1;
    }
}

static void take_messages(struct client *c, struct span body) {
    const char *at = skip_space(body.at, body.end);
    if (at == body.end || *at != '[') fail_for(c, "a text that is no array", body);
    for (at = skip_space(at + 1, body.end); at < body.end && *at == '{'; at = skip_space(at, body.end)) {
        struct span said = {at, skip_value(at, body.end)};
        take_message(c, said);
        at = said.end;
    }
    if (c->owes_connect && !is_paused) {
        send_connect(c);
        if (c->connects == 2) {
            opened++;
            progress_ns = now_ns();
            begin_next();
        }
    }
}

/* The end of the complete HTTP answer at `at`, or NULL when more must come. */
static char *take_answer(struct client *c, char *at, char *end) {
    struct span said = {at, end};
    char *head = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    if (!head) return NULL;
    if (is_websocket) {
        if (strncmp(at, "HTTP/1.1 101 ", 13) != 0 || !memmem(at, (size_t)(head - at), ACCEPT, strlen(ACCEPT)))
            fail_for(c, "the upgrade to a websocket was refused", said);
        c->is_upgraded = 1;
        send_handshake(c);
        return head + 4;
    }
    char *length = strcasestr(at, "\r\ncontent-length:");
    if (!length || length > head) fail_for(c, "an answer without content-length", said);
    char *body = head + 4, *next = body + strtoul(length + 17, NULL, 10);
    if (next > end) return NULL;
    if (strncmp(at, "HTTP/1.1 200 ", 13) != 0) fail_for(c, "an answer that is not success", said);
    take_messages(c, (struct span){body, next});
    return next;
}

static void fail_closed(struct client *c, struct span body) {
    const unsigned char *u = (const unsigned char *)body.at;
    char text[64];
    snprintf(text, sizeof text, "the server closed the websocket with %d", body.end - body.at < 2 ? 0 : u[0] << 8 | u[1]);
    fail_for(c, text, body.end - body.at < 2 ? body : (struct span){body.at + 2, body.end});
}

/* The end of the complete frame at `at`, or NULL when more must come. */
static char *take_frame(struct client *c, char *at, char *end) {
    unsigned char *u = (unsigned char *)at;
    size_t have = (size_t)(end - at), head = 2, length;
    if (have < 2) return NULL;
    int opcode = u[0] & 15, kind = u[1] & 127;
    if (kind == 126) head = 4;
    if (kind == 127) head = 10;
    if (have < head) return NULL;
    length = (size_t)kind;
    if (kind == 126) length = (size_t)u[2] << 8 | u[3];
    if (kind == 127) {
        length = 0;
        for (int i = 2; i < 10; i++) length = length << 8 | u[i];
    }
    struct span body = {at + head, at + head + length};
    if (have < head + length) return NULL;
    if (u[0] >> 4 != 8 || u[1] & 128) fail_for(c, "a frame in pieces, compressed or masked", (struct span){at, end});
    if (opcode == 1) take_messages(c, body);
    else if (opcode == 9) send_frame(c, 10, body.at, length < 126 ? length : 125);
    else if (opcode == 8) fail_closed(c, body);
    else if (opcode != 10) fail_for(c, "a frame of an unknown kind", body);
    return at + head + length;
}

static void receive(struct client *c) {
    if (c->held == c->room) {
        c->room *= 2;
        if (c->room > MAX_ANSWER) fail("an answer is too long", c->buffer, c->held);
        c->buffer = realloc(c->buffer, c->room + 1);
        if (!c->buffer) fail("no memory", "", 0);
    }
    ssize_t got = recv(c->descriptor, c->buffer + c->held, c->room - c->held, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fail_for(c, "the server closed the connection", (struct span){c->buffer, c->buffer + c->held});
    c->held += (size_t)got;
    received_bytes += (uint64_t)got;
    char *at = c->buffer, *end = c->buffer + c->held, *next;
    *end = 0;
    while (at < end && (next = c->is_upgraded ? take_frame(c, at, end) : take_answer(c, at, end))) at = next;
    c->held = (size_t)(end - at);
    if (c->held && at > c->buffer) memmove(c->buffer, at, c->held);
}

/* ---- commands ---- */

static double quantile_us(double part) {
    uint64_t wanted = (uint64_t)(part * (double)deliveries), seen = 0;
    for (int step = 0; step <= STEPS; step++) {
        seen += histogram[step];
        if (seen > wanted) return (step + 0.5) * STEP_NS / 1000.0;
    }
    return (double)slowest_ns / 1000;
}

static void report(void) {
    printf("{\"deliveries\": %llu, \"p50_us\": %.0f, \"p99_us\": %.0f, \"max_us\": %.0f, \"received_bytes\": %llu, "
           "\"cut\": %llu}\n",
           (unsigned long long)deliveries, quantile_us(0.5), quantile_us(0.99), (double)slowest_ns / 1000,
           (unsigned long long)received_bytes, (unsigned long long)cut);
    fflush(stdout);
}

static void stick(void) {
    for (int i = client_count - sticky_count; i < client_count; i++) {
        struct client *c = &all[i];
        if (c->is_stuck) continue;
        c->is_stuck = 1;
        readers--;
        waiting -= c->is_waiting;
        /* Without EPOLLIN only the end of the connection is reported. */
        struct epoll_event event = {.events = 0, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->descriptor, &event);
    }
    say("stuck");
}

static void obey(const char *word) {
    if (strcmp(word, "round") == 0) {
        is_round = 1;
        missing = readers;
        progress_ns = now_ns();
    } else if (strcmp(word, "reset") == 0) {
        deliveries = received_bytes = 0;
        slowest_ns = 0;
        memset(histogram, 0, (STEPS + 1) * sizeof *histogram);
    } else if (strcmp(word, "report") == 0) {
        report();
    } else if (strcmp(word, "pause") == 0) {
        is_paused = 1;
    } else if (strcmp(word, "resume") == 0) {
        is_paused = 0;
        for (int i = 0; i < client_count; i++)
            if (all[i].owes_connect && !all[i].is_stuck) send_connect(&all[i]);
    } else if (strcmp(word, "stick") == 0) {
        stick();
    } else {
        fail("an unknown command", word, strlen(word));
    }
}

static void read_commands(void) {
    static char line[256];
    static size_t held;
    struct pollfd input = {.fd = 0, .events = POLLIN};
    if (poll(&input, 1, 0) != 1) return;
    ssize_t got = read(0, line + held, sizeof line - 1 - held);
    if (got <= 0) exit(0);
    held += (size_t)got;
    line[held] = 0;
    char *at = line, *end;
    while ((end = strchr(at, '\n'))) {
        *end = 0;
        obey(at);
        at = end + 1;
    }
    held = strlen(at);
    memmove(line, at, held + 1);
}

static void raise_limit(void) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)client_count + 32;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return;
    if (limit.rlim_max < wanted) fail("the hard limit of open files (ulimit -Hn) is too low for so many clients", "", 0);
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void demand_progress(void) {
    if ((!is_round && is_ready) || now_ns() - progress_ns < (int64_t)SILENCE_S * 1000000000) return;
    char text[160];
    snprintf(text, sizeof text, "%d of %d clients are open, %d wait, %d events are missing", opened, client_count,
             waiting, missing);
    fail("no progress for 10 s", text, strlen(text));
}

static void settle(void) {
    if (!is_ready && opened == client_count) {
        is_ready = 1;
        say("ready");
    }
    if (is_round && missing == 0 && (is_paused || waiting == readers)) {
        is_round = 0;
        say("done");
    }
}

int main(int argc, char **argv) {
    if (argc != 7) fail("usage: clients PORT PATH CLIENTS STICKY TRANSPORT ACK", "", 0);
    port = atoi(argv[1]);
    path = argv[2];
    client_count = readers = atoi(argv[3]);
    sticky_count = atoi(argv[4]);
    is_websocket = strcmp(argv[5], "websocket") == 0;
    has_ack = atoi(argv[6]);
    if (client_count < 1 || client_count > MAX_CLIENTS || sticky_count > client_count || strlen(path) > 200)
        fail("unusable arguments", "", 0);
    raise_limit();
    all = calloc((size_t)client_count, sizeof *all);
    histogram = calloc(STEPS + 1, sizeof *histogram);
    epoll = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input);
    progress_ns = now_ns();
    for (int i = 0; i < MAX_OPENING; i++) begin_next();
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, is_round || !is_ready ? 1000 : -1);
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            if (!c) {
                read_commands();
            } else if (!c->is_stuck) {
                receive(c);
            } else {
                cut++;
                close(c->descriptor);
            }
        }
        settle();
        demand_progress();
    }
}
